"""The user's own data: a folder of IDX files or one .npz file, taken for hostile until it is read."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from mnist_models.data.dataset import Dataset
from mnist_models.data.formats.idx import LONGEST_HEADER, announced_size, read_idx
from mnist_models.data.formats.npz import read_npz
from mnist_models.data.validate import validated
from mnist_models.errors import InvalidInput

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""Which array is in which file of a folder; `train-images.idx3-ubyte` and a further `.gz` are found as well."""

LARGEST = 4 * 2**30
"""The most bytes that a data set may take, uncompressed."""


def read_data(path: Path) -> Dataset:
    """The data set at `path`: a folder of the four IDX files of MNIST, or an .npz file.

    The .npz file holds x_train, y_train, x_test and y_test; `validated` says what they may be.

    Raises:
        InvalidInput: one sentence that begins with "data:" and names the file: missing, cut, damaged, larger
            than 4 GiB uncompressed, or not what it must be.
    """
    try:
        return _read(path)
    except OSError as error:
        raise InvalidInput(f"data: {path} cannot be read: {error}.") from error


def _read(path: Path) -> Dataset:
    if path.is_dir():
        arrays = _read_folder(path)
    elif not path.exists():
        raise InvalidInput(f"data: {path} does not exist; give a folder of IDX files or an .npz file.")
    elif path.suffix.lower() == ".npz" and path.is_file():
        arrays = read_npz(path, tuple(IDX_FILES), LARGEST)
    else:
        raise InvalidInput(f"data: {path} is neither a folder of IDX files nor an .npz file, which are what is read.")
    name = path.resolve().name
    return validated(name if path.is_dir() else Path(name).stem, str(path), **arrays)


def _read_folder(folder: Path) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for key, name in IDX_FILES.items():
        room = LARGEST - sum(array.nbytes for array in arrays.values())
        path = _find(folder, name)
        try:
            content = _unpacked(path, room) if path.suffix == ".gz" else _plain(path, room)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidInput(f"data: {path} cannot be read: {error}.") from error
        arrays[key] = read_idx(content, str(path))
    return arrays


def _find(folder: Path, name: str) -> Path:
    """The first of the spellings of `name` that is there: plain before .gz."""
    spellings = (name, name.replace("-idx", ".idx"))
    for candidate in (folder / f"{spelling}{suffix}" for suffix in ("", ".gz") for spelling in spellings):
        if candidate.is_file():
            return candidate
    raise InvalidInput(f"data: {folder} must hold the file {name} (or {spellings[1]}, either of them also as .gz).")


def _plain(path: Path, room: int) -> bytes:
    _check_size(path, path.stat().st_size, room)
    return path.read_bytes()


def _unpacked(path: Path, room: int) -> bytes:
    """The content of a gzip file, of which no more is unpacked than its IDX header announces."""
    with gzip.open(path) as file:
        start = file.read(LONGEST_HEADER)
        expected = announced_size(start, str(path))
        _check_size(path, expected, room)
        content = bytearray(start)
        # In pieces: a single read would reserve all that the header announces before it is there.
        while len(content) <= expected and (piece := file.read(min(2**20, expected + 1 - len(content)))):
            content += piece
    if len(content) > expected:
        raise InvalidInput(
            f"data: {path}: expected {expected:,} bytes unpacked, as the IDX header announces, found more."
        )
    return bytes(content)


def _check_size(path: Path, size: int, room: int) -> None:
    if size > room:
        raise InvalidInput(
            f"data: {path}: a data set may take {LARGEST:,} bytes uncompressed, but with the {size:,} of this file "
            "it takes more."
        )
