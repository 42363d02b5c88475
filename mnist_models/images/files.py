"""Which image files a user means: files, folders with all that is in them, patterns."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mnist_models.errors import InvalidInput
from mnist_models.images.decode import IN_WORDS, SUFFIXES
from mnist_models.shown_text import in_title

DESKTOP_FILES = {"thumbs.db", "desktop.ini", "__macosx"}  # and all that are hidden, such as .DS_Store


def images_in(folder: Path) -> list[str]:
    """Return the paths of the image files in a folder and in all folders of it, sorted.

    Hidden files and folders, and the files that desktops leave, are left alone. A link to a file within the folder is
    read; links to folders and to anywhere else are not followed. Raise OSError for a folder that cannot be listed.
    """
    root = folder.resolve()
    chosen = (each for each in files_below(folder) if is_image(each.name) and not leads_outside(each, root))
    return sorted((str(Path(each.path)) for each in chosen), key=_order)


def _order(path: str) -> list[bytes]:
    """Sort by the names of folders, not by the character between them."""
    return [os.fsencode(part) for part in Path(path).parts]


def files_below(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the files and links in a folder, however deep, without hidden ones and what desktops leave."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def leads_outside(entry: "os.DirEntry[str]", root: Path) -> bool:
    """Return whether it is a link to a folder, or to a file that does not lie below the resolved `root`."""
    if not entry.is_symlink():
        return False
    target = Path(os.path.realpath(entry.path))
    return target.is_dir() or not target.is_relative_to(root)


def is_image(name: str) -> bool:
    """Return whether a file of this name is an image that people see."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Return whether people do not see a file or folder of this name, or have not put it there."""
    return name.startswith(".") or name.lower() in DESKTOP_FILES


def image_files(given: Iterable[str]) -> list[str]:
    """Return the files that `given` names: each by itself, by its folder or by a pattern such as `scans/*.png`.

    A file that does not exist is among them: its reader says so. Raise InvalidInput for a folder or a pattern that
    gives none.
    """
    found = [file for each in given for file in _expanded(each)]
    if not found:
        raise InvalidInput("files: name at least one image, a folder of them, or a pattern.")
    return found


def folder_images(field: str, folder: str) -> list[str]:
    """Return `images_in` a folder; raise InvalidInput if there is none, or a folder cannot be read."""
    try:
        files = images_in(Path(folder))
    except OSError as error:
        raise InvalidInput(
            f"{field}: the folder {in_title(str(error.filename or folder))} cannot be read; permit it, or name others."
        ) from None
    if not files:
        raise InvalidInput(f"{field}: the folder {in_title(folder)} holds no image ({IN_WORDS}).")
    return files


def none_usable(problems: Sequence[str]) -> str:
    """Say in a sentence that no file can be used, given the problem of each."""
    if len(problems) == 1:
        return problems[0]
    return f"none of the {len(problems):,} files can be used; the first: {problems[0]}"


def _expanded(given: str) -> list[str]:
    if not given:  # an unset variable of a shell, not the current folder
        raise InvalidInput("files: an empty name is no file; name an image, a folder of them, or a pattern.")
    path = Path(given)
    if not _exists(path):
        if not set(given) & set("*?["):
            return [given]
        matching = sorted(glob.glob(given, recursive=True))  # noqa: PTH207  pathlib's takes no absolute pattern
        files = [each for each in matching if Path(each).suffix.lower() in SUFFIXES and not Path(each).is_dir()]
        if not files:
            raise InvalidInput(f"files: no image ({IN_WORDS}) matches {in_title(given)}.")
        return files
    return folder_images("files", given) if path.is_dir() else [given]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or with a zero byte
        return False
