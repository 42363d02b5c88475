"""The user's own data, in any format of `mnist_models.data.formats`, taken for hostile until it is read."""

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from mnist_models.data import formats
from mnist_models.data.dataset import Dataset
from mnist_models.data.validate import validated
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import as_unicode, in_title, on_screen

LARGEST = 4 * 2**30  # the most bytes that a data set may take, uncompressed


class Format(Protocol):
    """What each module in `mnist_models.data.formats` offers."""

    TITLE: str  # what a path of this format is, with its article: "a folder of IDX files"

    def recognises(self, path: Path) -> bool:
        """Return whether the existing `path` is of this format, from names alone."""

    def read(self, path: Path, largest: int) -> dict[str, np.ndarray]:
        """Return x_train, y_train, x_test and y_test, not yet validated.

        Raise InvalidInput as `read_data`, also if they take more than `largest` bytes uncompressed, or an OSError.
        """


def all_formats() -> list[Format]:
    """Return all formats, in the order of their modules' names, in which they are asked."""
    names = (module.name for module in pkgutil.iter_modules(formats.__path__))
    return [cast(Format, importlib.import_module(f"{formats.__name__}.{name}")) for name in names]


def format_titles() -> str:
    """Return what is read, in words: "a folder of IDX files or an .npz file"."""
    return " or ".join(each.TITLE for each in all_formats())


def read_data(path: Path) -> Dataset:
    """Return the data set at `path`, which may be of any format.

    Raise InvalidInput, one sentence that begins with "data:" and names the file, if it is missing, cut, damaged, larger
    than 4 GiB uncompressed, or not what it must be.
    """
    shown = on_screen(str(path))
    try:
        if not path.exists():
            raise InvalidInput(f"data: {shown} does not exist; give {format_titles()}.")
        if as_unicode(str(path)) != str(path):  # it goes into records of the data's origin, and into events
            raise InvalidInput(f"data: {shown} is no valid text (UTF-8), as a path must be; rename it.")
        for each in all_formats():
            if each.recognises(path):
                arrays, place = each.read(path, LARGEST), path.resolve()
                return validated(in_title(place.name if path.is_dir() else place.stem), shown, **arrays)
    except OSError as error:
        raise InvalidInput(f"data: {shown} cannot be read: {error}.") from error
    titles = format_titles().replace(" or ", " nor ")
    raise InvalidInput(f"data: {shown} is neither {titles}, which are what is read.")
