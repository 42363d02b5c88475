"""A folder with the four IDX files of MNIST, plain or compressed by gzip."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from mnist_models.data.idx import IDX_FILES, LONGEST_HEADER, announced_size, read_idx
from mnist_models.errors import InvalidInput

TITLE = "a folder of IDX files"


def recognises(path: Path) -> bool:
    """Return whether it is a folder that holds one of the files."""
    return any(_find(path, name) for name in IDX_FILES.values())


def read(path: Path, largest: int) -> dict[str, np.ndarray]:
    """Return the four arrays; `train-images.idx3-ubyte` and a further `.gz` are found as well.

    Raise InvalidInput if a file is missing, damaged or cut, or they take more than `largest` bytes uncompressed, and
    OSError if the folder cannot be read.
    """
    arrays: dict[str, np.ndarray] = {}
    for key, name in IDX_FILES.items():
        file = _find(path, name)
        if file is None:
            dotted = name.replace("-idx", ".idx")
            raise InvalidInput(f"data: {path} must hold the file {name} (or {dotted}, either of them also as .gz).")
        taken = sum(array.nbytes for array in arrays.values())
        try:
            arrays[key] = read_idx(_content(file, taken, largest), str(file))
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidInput(f"data: {file} cannot be read: {error}.") from error
    return arrays


def _find(folder: Path, name: str) -> Path | None:
    """Return the file as it is spelled in the folder: plain before .gz."""
    spellings = (folder / f"{stem}{end}" for end in ("", ".gz") for stem in (name, name.replace("-idx", ".idx")))
    return next((file for file in spellings if file.is_file()), None)


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
