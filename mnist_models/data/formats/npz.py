"""An .npz file of NumPy; sizes and types are checked before anything is unpacked, and nothing is unpickled."""

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

import numpy as np
from numpy.lib import format as npy

from mnist_models.data.assembly.pixel_scale import STATED
from mnist_models.data.found import LabelledArrays, Part
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title, on_screen

TITLE = "an .npz file"

Names = tuple[tuple[Part, str, str], ...]
FAMILIES: tuple[Names, ...] = (
    (("train", "x_train", "y_train"), ("validation", "x_val", "y_val"), ("validation", "x_valid", "y_valid"),
     ("validation", "x_validation", "y_validation"), ("test", "x_test", "y_test")),
    (("train", "train_images", "train_labels"), ("validation", "val_images", "val_labels"),
     ("test", "test_images", "test_labels")),
    (("", "images", "labels"),),
    (("", "x", "y"),),
    (("", "data", "labels"),),
    (("", "data", "target"),),
)  # fmt: skip
"""How arrays are called: Keras's names first, then MedMNIST's, then those of a single pair."""

CLASS_NAMES = ("class_names", "classes", "label_names", "target_names")
GROUPS = ("groups", "group")

Array = np.ndarray


def recognises(path: Path) -> bool:
    """Return whether it is a file of that name."""
    return path.suffix.lower() == ".npz" and path.is_file()


def read(path: Path, largest: int) -> LabelledArrays:
    """Return its arrays under the names of FAMILIES, in any case; others in the file are not read.

    Together they may take `largest` bytes, uncompressed. Raise InvalidInput for a missing array, too large a file,
    anything but numbers and texts (no pickled objects), and damage.
    """
    own = _members(path)
    pairs = _pairs(own, path)
    more = [own[key] for key in (STATED, *CLASS_NAMES, *GROUPS) if key in own]
    texts = [own[name] for name in (*(labels for *_, labels in pairs), *CLASS_NAMES, *GROUPS) if name in own]
    arrays = read_npz(path, [*(own[name] for _, *pair in pairs for name in pair), *more], largest, texts)
    parts = {part: (own[images], own[labels]) for part, images, labels in pairs}
    names = next((arrays[own[key]] for key in CLASS_NAMES if key in own), np.zeros(0))
    groups = next((arrays[own[key]] for key in GROUPS if key in own), None)
    return LabelledArrays(
        images={part: arrays[images] for part, (images, _) in parts.items()},
        labels={part: arrays[labels] for part, (_, labels) in parts.items()},
        class_names=_texts(names),
        pixel_max=arrays.get(own.get(STATED, "")),
        groups={} if groups is None else {next(iter(parts)): groups},  # of what is trained on
        names={part: f"{images} and {labels}" for part, (images, labels) in parts.items()},
    )


def read_npz(path: Path, keys: Sequence[str], largest: int, texts: Sequence[str] = ()) -> dict[str, Array]:
    """Return the arrays `keys` of a file, which together may take `largest` bytes; raise InvalidInput as `read`.

    Those of `texts` may hold texts instead of numbers.
    """
    with _opened(path) as file:
        _check(file, path, keys, largest)
        _check_headers(file, path, keys, texts)
        return {key: _array(file, key) for key in keys}


def _members(path: Path) -> dict[str, str]:
    """Return the names of the arrays in a file, by their names in small letters."""
    with _opened(path) as file:
        return {name[:-4].lower(): name[:-4] for name in reversed(file.namelist()) if name.endswith(".npy")}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except InvalidInput:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types for damaged bytes
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InvalidInput(f"data: {path} cannot be read as an .npz file: {reason}.") from error


def _texts(names: Array) -> tuple[str, ...]:
    """Return class names; none for what is no list of texts, such as a number of classes."""
    if names.ndim != 1 or names.dtype.kind not in "US":
        return ()
    texts = np.char.decode(names, "utf-8", "replace") if names.dtype.kind == "S" else names
    return tuple(str(each) for each in texts)


def _pairs(own: dict[str, str], path: Path) -> list[tuple[Part, str, str]]:
    """Return the images and labels that are there, by part; raise InvalidInput if one has not the other."""
    for family in FAMILIES:
        found = [each for each in family if each[1] in own or each[2] in own]
        if not found:
            continue
        if "" not in {part for part, _, _ in family} and "train" not in {part for part, _, _ in found}:
            found = [family[0], *found]
        if missing := next((name for _, *pair in found for name in pair if name not in own), None):
            if len(found) == 1 and family is not FAMILIES[0] and family is not FAMILIES[1]:
                continue  # "labels" may go with "images" or with "data"
            wanted = ", ".join(name for _, *pair in found for name in pair)
            raise InvalidInput(f"data: {path} must hold the arrays {wanted}, but {missing} is missing.")
        return found
    held = in_title(", ".join(own.values())) or "none"
    raise InvalidInput(
        f"data: {path} must hold the arrays x_train, y_train, x_test, y_test, or train_images, train_labels,"
        f" test_images, test_labels, or one pair such as images and labels; it holds {held}, and x_train is missing."
    )


def _array(file: zipfile.ZipFile, name: str) -> Array:
    """Return an array that is mapped from a temporary file without a name, so that a large one takes no memory."""
    with file.open(f"{name}.npy") as content, TemporaryFile() as unpacked:
        while piece := content.read(2**20):
            unpacked.write(piece)
        unpacked.flush()
        unpacked.seek(0)
        version = npy.read_magic(unpacked)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read_header(unpacked)
        order: Literal["F", "C"] = "F" if fortran_order else "C"
        if not math.prod(shape):
            return np.empty(shape, dtype, order)
        mapped: Array = np.memmap(unpacked, dtype, "r", unpacked.tell(), shape, order)
        return mapped


def _check(file: zipfile.ZipFile, path: Path, keys: Sequence[str], largest: int) -> None:
    """Refuse a missing array, and arrays that take too much."""
    if missing := next((key for key in keys if f"{key}.npy" not in file.namelist()), None):
        raise InvalidInput(f"data: {path} must hold the arrays {', '.join(keys)}, but {missing} is missing.")
    members = {key: file.getinfo(f"{key}.npy") for key in keys}
    total = sum(member.file_size for member in members.values())  # zipfile unpacks no more than file_size
    if total > largest:
        limit = f"a data set may take {largest:,} bytes uncompressed"
        raise InvalidInput(f"data: {path}: {limit}, but this one takes {total:,}.")


def _check_headers(file: zipfile.ZipFile, path: Path, keys: Sequence[str], texts: Sequence[str]) -> None:
    """Refuse types that are not allowed, and a header for which numpy would take more memory than the file holds."""
    for key in keys:
        member = file.getinfo(f"{key}.npy")
        where, size = f"data: {path}: {on_screen(key)}", member.file_size
        with file.open(member) as content:
            version = npy.read_magic(content)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(content)
            expected = content.tell() + math.prod(shape) * dtype.itemsize
        if dtype.kind not in "biuf" and (key not in texts or dtype.kind not in "US"):
            what = "numbers or texts" if key in texts else "numbers"
            raise InvalidInput(f"{where} must hold {what}, but has the type {dtype}; objects are never unpickled.")
        if size != expected:
            raise InvalidInput(f"{where}: expected {expected:,} bytes, as its header announces, found {size:,}.")
