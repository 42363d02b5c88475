"""An .npz file of NumPy; sizes and types are checked before anything is unpacked, and nothing is unpickled."""

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mnist_models.data.dataset import ARRAYS
from mnist_models.data.pixel_scale import STATED
from mnist_models.errors import InvalidInput

TITLE = "an .npz file"


def recognises(path: Path) -> bool:
    """Return whether it is a file of that name."""
    return path.suffix.lower() == ".npz" and path.is_file()


def read(path: Path, largest: int) -> dict[str, np.ndarray]:
    """Return the four arrays as `read_npz`, and `pixel_max` if it is there; others in the file are not read."""
    return read_npz(path, ARRAYS, largest, (STATED,))


def read_npz(path: Path, keys: tuple[str, ...], largest: int, optional: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Return the arrays `keys` of the file and those of `optional` that it holds.

    Together they may take `largest` bytes, uncompressed.

    Raise InvalidInput for a missing key, too large a file, anything but numbers (no pickled objects), and damage.
    """
    try:
        with zipfile.ZipFile(path) as file:
            keys += tuple(key for key in optional if f"{key}.npy" in file.namelist())
            _check(file, path, keys, largest)
        with np.load(path, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in keys}
    except InvalidInput:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types for damaged bytes
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InvalidInput(f"data: {path} cannot be read as an .npz file: {reason}.") from error


def _check(file: zipfile.ZipFile, path: Path, keys: tuple[str, ...], largest: int) -> None:
    """Refuse what `read_npz` does, and a header for which numpy would reserve more memory than the file holds."""
    for key in keys:
        if f"{key}.npy" not in file.namelist():
            raise InvalidInput(f"data: {path} must hold the arrays {', '.join(keys)}, but {key} is missing.")
    members = {key: file.getinfo(f"{key}.npy") for key in keys}
    total = sum(member.file_size for member in members.values())  # zipfile unpacks no more than file_size
    if total > largest:
        limit = f"a data set may take {largest:,} bytes uncompressed"
        raise InvalidInput(f"data: {path}: {limit}, but this one takes {total:,}.")
    for key, member in members.items():
        where, size = f"data: {path}: {key}", member.file_size
        with file.open(member) as content:
            version = npy.read_magic(content)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(content)
            expected = content.tell() + math.prod(shape) * dtype.itemsize
        if dtype.kind not in "biuf":
            raise InvalidInput(f"{where} must hold numbers, but has the type {dtype}; objects are never unpickled.")
        if size != expected:
            raise InvalidInput(f"{where}: expected {expected:,} bytes, as its header announces, found {size:,}.")
