"""The user's own data, in any format of `mnist_models.data.formats`, taken for hostile until it is read."""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol, cast

from mnist_models.data import formats, unpack
from mnist_models.data.assembly.assemble import Origin, assemble_arrays
from mnist_models.data.assembly.assemble_files import assemble_files
from mnist_models.data.assembly.decode_files import Workshop, look_at
from mnist_models.data.dataset import Dataset
from mnist_models.data.found import Found, ImageFiles
from mnist_models.data.options import DataOptions
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import as_unicode, in_title, on_screen

LARGEST = 4 * 2**30  # the most bytes that a data set may take, uncompressed


class Format(Protocol):
    """What each module in `mnist_models.data.formats` offers."""

    TITLE: str  # what a path of this format is, with its article: "a folder of IDX files"

    def recognises(self, path: Path) -> bool:
        """Return whether the existing `path` is of this format, from names alone."""

    def read(self, path: Path, largest: int, /) -> Found:
        """Return the images and labels that are there, not yet validated, or the image files with their labels.

        Raise InvalidInput as `read_data`, also if they take more than `largest` bytes uncompressed, or an OSError.
        """


class Opened(NamedTuple):
    """What lies at a path."""

    found: Found
    origin: Origin
    place: Path  # the path, or the folder into which an archive has been unpacked


def all_formats() -> list[Format]:
    """Return all formats, in the order of their modules' names, in which they are asked."""
    names = (module.name for module in pkgutil.iter_modules(formats.__path__))
    return [cast(Format, importlib.import_module(f"{formats.__name__}.{name}")) for name in names]


def format_titles(last: str = "or") -> str:
    """Return what is read, in words: "a folder of IDX files, an .npz file or an archive of one of these"."""
    titles = [*(each.TITLE for each in all_formats()), unpack.TITLE]
    return f"{', '.join(titles[:-1])} {last} {titles[-1]}"


@contextmanager
def opened_data(path: Path, folder: Path | None = None) -> Iterator[Opened]:
    """Give what lies at `path`, which may be of any format; an archive is unpacked in `folder` until the block ends.

    Raise InvalidInput as `read_data`, also within the block.
    """
    shown = on_screen(str(path))
    with TemporaryDirectory(prefix="data-", dir=folder) as temporary:
        place = path
        try:
            if not path.exists():
                raise InvalidInput(f"data: {shown} does not exist; give {format_titles()}.")
            if as_unicode(str(path)) != str(path):  # it goes into records of the data's origin, and into events
                raise InvalidInput(f"data: {shown} is no valid text (UTF-8), as a path must be; rename it.")
            if unpack.is_archive(path):
                place = unpack.unpack(path, Path(temporary), LARGEST)
            resolved = path.resolve()
            name = resolved.name if path.is_dir() else resolved.name.removesuffix(resolved.suffix).removesuffix(".tar")
            yield Opened(_find(place, shown), Origin(in_title(name), shown), place)
        except InvalidInput as error:
            if place == path:
                raise
            raise InvalidInput(str(error).replace(str(place), shown)) from None  # the temporary folder says nothing
        except OSError as error:
            raise InvalidInput(f"data: {shown} cannot be read: {error}.") from error


def _find(place: Path, shown: str) -> Found:
    for each in all_formats():
        if each.recognises(place):
            return each.read(place, LARGEST)
    raise InvalidInput(f"data: {shown} is neither {format_titles('nor')}, which are what is read.")


def read_data(path: Path, options: DataOptions | None = None, folder: Path | None = None) -> Dataset:
    """Return the data set at `path`, which may be of any format. What is made on the way is mapped from `folder`.

    Raise InvalidInput, one sentence that begins with "data:" and names the file, if it is missing, cut, damaged, larger
    than 4 GiB uncompressed, or not what it must be.
    """
    options = options or DataOptions()
    with TemporaryDirectory(prefix="made-", dir=folder) as temporary, opened_data(path, folder) as opened:
        found, made = opened.found, Path(temporary)
        if isinstance(found, ImageFiles):
            return assemble_files(found, look_at(found.files), opened.origin, options, Workshop(made, LARGEST))
        return assemble_arrays(found, opened.origin, options, made)
