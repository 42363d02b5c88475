"""A folder with the IDX files of MNIST or EMNIST, plain or compressed by gzip; the test part may be missing."""

import gzip
import re
import zlib
from pathlib import Path

import numpy as np

from mnist_models.data.found import LabelledArrays, Part
from mnist_models.data.idx import LONGEST_HEADER, announced_size, read_idx
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title, on_screen

TITLE = "a folder of IDX files"

NAME = re.compile(r"(.*?)(train|t10k|test|)[-_]?(images|labels)[-.]idx([13])-ubyte(\.gz)?", re.IGNORECASE | re.DOTALL)
"""A set's own name, such as emnist-letters-, the part, what it holds, and the end."""

DIMENSIONS = {"images": "3", "labels": "1"}

Files = dict[tuple[str, str], Path]
"""Part ("train", "test", or "" for a single pair) and content ("images", "labels") → file."""


def recognises(path: Path) -> bool:
    """Return whether it is a folder that holds one of the files."""
    return path.is_dir() and bool(_sets(path))


def read(path: Path, largest: int) -> LabelledArrays:
    """Return the arrays; a file may also be called `….idx3-ubyte`, or have a further `.gz`.

    Raise InvalidInput if a file is missing, damaged or cut, or they take more than `largest` bytes uncompressed, and
    OSError if the folder cannot be read.
    """
    sets = _sets(path)
    if len(sets) > 1:
        names = in_title(", ".join(sorted(name.strip("-_.") or "one without a name" for name in sets)))
        raise InvalidInput(f"data: {path} must hold one data set, but holds {names}; put each into its own folder.")
    prefix, files = next(iter(sets.items()))
    used = [part for part in ("", "train", "test") if any(part == each for each, _ in files)]
    if not {"", "train"} & {*used}:
        used = ["train", *used]
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for part in used:
        for content in DIMENSIONS:
            file = files.get((part, content))
            if file is None:
                name = f"{prefix}{_spelled(part, files)}{content}-idx{DIMENSIONS[content]}-ubyte"
                dotted = name.replace("-idx", ".idx")
                raise InvalidInput(
                    f"data: {path} must hold the file {on_screen(name)} (or {on_screen(dotted)}, either of them also as"
                    " .gz)."
                )
            taken = sum(array.nbytes for array in arrays.values())
            try:
                arrays[part, content] = read_idx(_content(file, taken, largest), str(file))
            except (OSError, EOFError, zlib.error) as error:
                raise InvalidInput(f"data: {file} cannot be read: {error}.") from error
    kinds: dict[str, Part] = {"": "", "train": "train", "test": "test"}
    return LabelledArrays(
        images={kinds[part]: arrays[part, "images"] for part in used},
        labels={kinds[part]: arrays[part, "labels"] for part in used},
        names={kinds[part]: files[part, "images"].name for part in used},
    )


def _sets(folder: Path) -> dict[str, Files]:
    """Return the files of each data set in a folder, by what their names begin with; plain ones before .gz."""
    sets: dict[str, Files] = {}
    for file in sorted(folder.iterdir(), key=lambda each: (each.suffix.lower() == ".gz", "." in each.stem, each.name)):
        found = NAME.fullmatch(file.name)
        if found and found[4] == DIMENSIONS[found[3].lower()] and not file.name.startswith(".") and file.is_file():
            part = {"t10k": "test"}.get(found[2].lower(), found[2].lower())
            sets.setdefault(found[1], {}).setdefault((part, found[3].lower()), file)
    return sets


def _spelled(part: str, files: Files) -> str:
    """Return how the part is written in the name of a missing file: as in the other's, or as in MNIST's."""
    if other := next((file for (each, _), file in files.items() if each == part), None):
        found = NAME.fullmatch(other.name)
        return f"{found[2]}-" if found and found[2] else ""
    return {"test": "t10k-", "train": "train-"}.get(part, "")


def _content(file: Path, taken: int, largest: int) -> bytes:
    """Return the uncompressed content, of which no more is read than its IDX header announces."""

    def check_size(size: int) -> None:
        if taken + size > largest:
            raise InvalidInput(
                f"data: {file}: a data set may take {largest:,} bytes uncompressed, "
                f"but with the {size:,} of this file it takes more."
            )

    if file.suffix != ".gz":
        check_size(file.stat().st_size)
        return file.read_bytes()
    with gzip.open(file) as unpacked:
        content = bytearray(unpacked.read(LONGEST_HEADER))
        size = announced_size(content, str(file))
        check_size(size)
        # In pieces: a single read would reserve all that the header announces before it is there.
        while len(content) <= size and (piece := unpacked.read(min(2**20, size + 1 - len(content)))):
            content += piece
    if len(content) > size:
        raise InvalidInput(f"data: {file}: expected {size:,} bytes unpacked, as the IDX header announces, found more.")
    return bytes(content)
