"""Which image files a user means: files, folders, patterns."""

import glob
from collections.abc import Iterable
from pathlib import Path

from mnist_models.errors import InvalidInput
from mnist_models.images.decode import IN_WORDS, SUFFIXES
from mnist_models.shown_text import in_title


def images_in(folder: Path) -> list[Path]:
    """Return the image files of a folder, by name; those in folders of it are not looked for."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and not file.is_dir())


def image_files(given: Iterable[str]) -> list[str]:
    """Return the files that `given` names: each by itself, by its folder or by a pattern such as `scans/*.png`.

    A file that does not exist is among them: its reader says so. Raise InvalidInput for a folder or a pattern that
    gives none.
    """
    found = [file for each in given for file in _expanded(each)]
    if not found:
        raise InvalidInput("files: name at least one image, a folder of them, or a pattern.")
    return found


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
    if not path.is_dir():
        return [given]
    try:
        files = [str(file) for file in images_in(path)]
    except OSError:
        raise InvalidInput(f"files: the folder {in_title(given)} cannot be read.") from None
    if not files:
        raise InvalidInput(f"files: the folder {in_title(given)} holds no image ({IN_WORDS}).")
    return files


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or with a zero byte
        return False
