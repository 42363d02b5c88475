"""A version of a data set as the image files that it is."""

from pathlib import Path
from typing import NamedTuple

from mnist_models.data.assembly.decode_files import Looked
from mnist_models.data.found import ImageFile, ImageFiles
from mnist_models.data.sets.names import Reference
from mnist_models.data.sets.objects import check_all, object_path
from mnist_models.data.sets.rows import kept
from mnist_models.data.sets.versions import Version, read_version, rows_of
from mnist_models.errors import InvalidInput


class Files(NamedTuple):
    """Image files, and what is known of each."""

    found: ImageFiles
    looked: list[Looked]


def set_version(sets: Path, reference: Reference) -> Version:
    """Return a version that can be trained on; raise InvalidInput for one that lacks a side."""
    version = read_version(sets, reference)
    for part, wanted in (("train", "train on"), ("test", "test on")):
        if not version.parts.get(part):
            raise InvalidInput(
                f"data: {reference} holds {version.images:,} images, but none to {wanted}; add more, or a {part} part."
            )
    return version


def files_of(sets: Path, version: Version) -> Files:
    """Return the image files of a version, with what was seen of them when they were added.

    Raise InvalidInput if one is missing or damaged.
    """
    folder = sets / version.name
    rows = kept(rows_of(sets, version))
    check_all(folder, [(row.content, row.name) for row in rows], str(version))
    files = [ImageFile(object_path(folder, row.content), row.label, row.part, row.name, row.group) for row in rows]
    looked = [Looked(row.key) for row in rows]
    return Files(ImageFiles(files), looked)
