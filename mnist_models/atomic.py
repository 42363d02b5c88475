"""The one way in which this project writes a file that someone else will read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to, which becomes `path` when the block ends without an error.

    The content is flushed to the disk before the rename and the folder after it, so that after a kill or
    a power cut `path` holds either the old content or the whole new one, never a part. The temporary name
    keeps the ending of `path`, for writers that choose a format by it.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is untouched then.
    """
    _make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        flush(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` (text as UTF-8) so that `path` is never seen half-written."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left, at a time when nobody else writes there."""
    for temporary in folder.rglob(".*.tmp*"):
        temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create a folder with all above it, so that a power cut takes none of them again."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush(folder.parent)


def flush(path: Path) -> None:
    """Bring a file's content, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
