"""What is said of images by what is added to a data set: content, label, side, group."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from mnist_models.data.assembly.assemble import as_pictures
from mnist_models.data.assembly.decode_files import in_parallel
from mnist_models.data.assembly.labels import checked_name
from mnist_models.data.content_keys import key_of
from mnist_models.data.found import ImageFile, ImageFiles, LabelledArrays, Part
from mnist_models.data.options import DataOptions
from mnist_models.data.read import Opened
from mnist_models.data.sets.objects import content_digest
from mnist_models.data.sets.plain_png import plain_png
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import size_of
from mnist_models.images.read import opened
from mnist_models.shown_text import on_screen


class Statement(NamedTuple):
    """What is said of one image."""

    content: str  # SHA-256 of the file, 64 hex digits
    label: str
    part: Part  # empty if nothing says it
    group: str
    name: str  # what it is called where it comes from
    file: Path
    key: int
    shape: tuple[int, int]  # height and width in pixels
    size: int  # in bytes


class Said(NamedTuple):
    """All that something says, and a sentence for each file that cannot be used."""

    statements: list[Statement]
    problems: list[str]


def said_by(given: Opened, options: DataOptions, work: Path, has_test: bool) -> Said:
    """Return what data say; arrays become files in the empty folder `work`. Raise InvalidInput as `read_data`.

    Where a test part is stated, the rest is for training. Where none is, neither here nor in the data set (`has_test`),
    images that are called training images have no side yet: else none would ever be tested on.
    """
    files = [_cleaned(each) for each in _files(given, options, work)]
    is_split = any(each.part == "test" for each in files)
    meant: dict[Part, Part] = {"": "train" if is_split else "", "train": "train" if is_split or has_test else ""}
    files = [each._replace(part=meant.get(each.part, each.part)) for each in files]
    found = in_parallel(lambda index: _look(files[index], given.place), len(files))
    statements = [each for each in found if isinstance(each, Statement)]
    return Said(statements, [each for each in found if isinstance(each, str)])


def _files(given: Opened, options: DataOptions, work: Path) -> Sequence[ImageFile]:
    if isinstance(given.found, ImageFiles):
        if not given.found.files:
            raise InvalidInput(f"data: {given.origin.source} holds no image that can be used.")
        return given.found.files
    return _as_files(given.found, given.origin.source, options, work)


def _as_files(arrays: LabelledArrays, source: str, options: DataOptions, work: Path) -> list[ImageFile]:
    """Write each image of the arrays as a file."""
    pictures = as_pictures(arrays, source, options, any_size=True)
    files: list[ImageFile] = []
    for part, images in pictures.images.items():
        labels, groups = pictures.labels[part].tolist(), pictures.groups[part]
        called = arrays.names.get(part, "").partition(" and ")[0] or f"x_{part or 'train'}"
        for index, label in enumerate(labels):
            file = work / f"{part}{index}.png"
            file.write_bytes(plain_png(images[index]))
            named = pictures.class_names[label] if pictures.class_names else str(label)
            files.append(ImageFile(file, named, part, f"{called}[{index}]", groups[index] if groups else ""))
    return files


def _cleaned(each: ImageFile) -> ImageFile:
    return each._replace(label=checked_name(each.label, each.where), group=on_screen(each.group))


def _look(each: ImageFile, place: Path) -> Statement | str:
    """Return what is said of an image, or why it cannot be used."""
    name = on_screen(each.file.name)
    try:
        with opened(each.file) as file:
            content = file.read()
        if not content:
            raise InvalidInput(f"{name} is empty.")
        shape = size_of(BytesIO(content), name)
    except InvalidInput as error:
        return f"{each.where}: {error}"
    except OSError as error:
        return f"{each.where}: it cannot be read: {error.strerror or type(error).__name__}."
    called = _name(each, place)
    key, digest = key_of(content), content_digest(content)
    return Statement(digest, each.label, each.part, each.group, called, each.file, key, shape, len(content))


def _name(each: ImageFile, place: Path) -> str:
    """Return what an image is called: its path in what is added, or its place in an array."""
    root = place if place.is_dir() else place.parent
    return on_screen(str(each.file.relative_to(root))) if each.file.is_relative_to(root) else each.where
