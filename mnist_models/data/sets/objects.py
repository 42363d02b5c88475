"""The contents of files, each once, under the name of its SHA-256."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from mnist_models.data.assembly.decode_files import in_parallel
from mnist_models.errors import InvalidInput
from mnist_models.images.read import opened
from mnist_models.shown_text import on_screen


def content_digest(content: bytes) -> str:
    """Return the SHA-256 as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def object_path(folder: Path, digest: str) -> Path:
    """Return where the data set in `folder` keeps a content."""
    return folder / "objects" / digest[:2] / digest[2:]


def keep_all(folder: Path, files: Iterable[tuple[str, Path]], work: Path) -> None:
    """Keep the content of each (digest, file), unless it is there, and bring all to the disk together.

    `work` is an empty folder on the same disk. Raise InvalidInput if a file's content is not that of its digest any
    more.
    """
    wanted = list(files)
    for start in sorted({digest[:2] for digest, _ in wanted}):
        (folder / "objects" / start).mkdir(parents=True, exist_ok=True)
    if any(in_parallel(lambda index: _keep(folder, *wanted[index], work), len(wanted))):
        os.sync()  # once, because to flush each of thousands of small files takes minutes


def _keep(folder: Path, digest: str, file: Path, work: Path) -> bool:
    """Return whether it had to be written."""
    with opened(file) as source:
        content = source.read()
    if content_digest(content) != digest:
        raise InvalidInput(f"data: {on_screen(str(file))} has changed while it was read; add it again.")
    target = object_path(folder, digest)
    if _is_intact(target, digest):  # a power cut may have left a part of it
        return False
    half = work / digest
    half.write_bytes(content)
    half.chmod(0o644)
    os.replace(half, target)
    return True


def check_all(folder: Path, contents: list[tuple[str, str]], shown: str) -> None:
    """Raise InvalidInput if one of (digest, name) is missing or damaged; `shown` is the version."""
    digests = [digest for digest, _ in contents]
    intact = in_parallel(lambda index: _is_intact(object_path(folder, digests[index]), digests[index]), len(digests))
    broken = [name for (_, name), whole in zip(contents, intact, strict=True) if not whole]
    if broken:
        first = f"the content of {broken[0]}"
        raise InvalidInput(
            f"data: {shown}: {first} is missing or damaged in {on_screen(str(folder / 'objects'))}"
            f"{f', and {len(broken) - 1:,} more are' if len(broken) > 1 else ''}; `mnist data add` with the same files"
            " puts it back."
        )


def _is_intact(file: Path, digest: str) -> bool:
    try:
        return content_digest(file.read_bytes()) == digest
    except OSError:
        return False
