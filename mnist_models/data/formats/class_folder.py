"""A folder with a folder of image files for each class, also below `train/`, `validation/` and `test/`.

The class of an image is the name of the first folder, however deep it lies in that. Hidden files and folders, the files
that desktops leave, and files with other endings are left alone. A link to a file within the data is read; links to
folders and to anywhere else are not followed.
"""

import os
from collections import Counter
from itertools import islice
from pathlib import Path

from mnist_models.data.formats import manifest
from mnist_models.data.found import PARTS, ImageFile, ImageFiles, Part
from mnist_models.errors import InvalidInput
from mnist_models.images.files import files_below, is_hidden, is_image, leads_outside
from mnist_models.shown_text import on_screen

TITLE = "a folder of images by class"

MOST_FILES = 2_000_000
LOOKED_AT = 10_000  # files, before it is given up to look for an image

OTHER, OUTSIDE, NO_CLASS = "of another kind", "links that are not followed", "images in no class's folder"


def recognises(path: Path) -> bool:
    """Return whether it is a folder with an image in a folder of it, and not one that a table describes."""
    if not path.is_dir() or manifest.recognises(path):
        return False
    files = (file for folder in _folders(path) for file in islice(files_below(folder), LOOKED_AT))
    return any(is_image(file.name) for file in islice(files, LOOKED_AT))


def read(path: Path, _largest: int) -> ImageFiles:
    """Return the images; raise InvalidInput if there are more files than can be, and OSError if a folder is closed.

    Nothing is opened, so that it does not matter how large they may be.
    """
    root, left_alone = path.resolve(), Counter[str]()
    files: list[ImageFile] = []
    empty: list[str] = []
    for part, top in _parts(path):
        left_alone[NO_CLASS] += sum(is_image(entry.name) for entry in os.scandir(top) if entry.is_file())
        for folder in _folders(top):
            before, shown = len(files), str(folder.relative_to(path))
            for entry in files_below(folder):
                reason = _reason_to_leave(entry, root)
                if reason is None:
                    where = on_screen(shown + entry.path[len(str(folder)) :])
                    files.append(ImageFile(Path(entry.path), folder.name, part, where))
                elif reason:
                    left_alone[reason] += 1
                if len(files) > MOST_FILES:
                    raise InvalidInput(f"data: {on_screen(str(path))} holds more than {MOST_FILES:,} images.")
            if len(files) == before:
                empty.append(on_screen(shown))
    files.sort(key=lambda each: os.fsencode(each.file))
    return ImageFiles(files, {words: count for words, count in left_alone.items() if count}, tuple(empty))


def _parts(path: Path) -> list[tuple[Part, Path]]:
    """Return the folders whose folders are classes: those of the parts, if there are no others, or else the whole."""
    folders = _folders(path)
    named = [(PARTS[each.name.lower()], each) for each in folders if each.name.lower() in PARTS]
    if named and len(named) == len(folders) and all(_folders(each) for _, each in named):
        return named
    return [("", path)]


def _folders(path: Path) -> list[Path]:
    with os.scandir(path) as entries:
        found = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(each for each in found if not is_hidden(each.name))


def _reason_to_leave(entry: os.DirEntry[str], root: Path) -> str | None:
    """Return in words why a file is left alone; None if it is an image."""
    if leads_outside(entry, root):
        return OUTSIDE
    return None if is_image(entry.name) else OTHER
