"""From labelled image files to a data set."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mnist_models.data.assembly.assemble import Origin, Pieces, assemble
from mnist_models.data.assembly.decode_files import Decoded, Looked, Workshop, decode_all
from mnist_models.data.assembly.labels import as_classes
from mnist_models.data.assembly.pixel_scale import IMAGE_FILES
from mnist_models.data.dataset import Dataset, Facts
from mnist_models.data.found import ImageFile, ImageFiles, Part
from mnist_models.data.options import DataOptions
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def assemble_files(
    found: ImageFiles, looked: Sequence[Looked], origin: Origin, options: DataOptions, workshop: Workshop
) -> Dataset:
    """Return the data set that image files make up; raise InvalidInput for what it cannot be made of."""
    if not found.files:
        left = ", ".join(f"{count:,} {words}" for words, count in found.left_alone.items())
        raise InvalidInput(f"data: {origin.source} holds no image that can be used{f' ({left})' if left else ''}.")
    decoded = decode_all(found.files, looked, options, workshop)
    texts = np.array([each.label for each in decoded.files])
    labels, class_names = as_classes({"": texts}, (), {"": f"{origin.source}: the labels"})
    facts = Facts(
        class_names=class_names,
        pixels=IMAGE_FILES,
        own_sizes=decoded.own_sizes,
        sizes=decoded.words,
        fit=decoded.fit,
        unreadable=tuple(decoded.problems),
        left_alone=tuple(f"{count:,} {words}" for words, count in found.left_alone.items()),
    )
    dataset = assemble(_by_part(decoded, labels[""], origin), facts, origin, workshop.folder)
    return replace(dataset, facts=replace(dataset.facts, warnings=(*_doubts(found, decoded), *dataset.facts.warnings)))


def _by_part(decoded: Decoded, labels: np.ndarray, origin: Origin) -> dict[Part, Pieces]:
    """Return the images by part; those of which nothing says it join the training part, if anything is said at all."""
    stated = {each.part for each in decoded.files}
    if stated == {""}:
        return {"": _pieces(decoded, labels, np.arange(len(labels)))}
    if "test" in stated and not stated & {"", "train"}:
        raise InvalidInput(f"data: {origin.source} must hold a part to train on, but holds a test part only.")
    parts = [each.part or "train" for each in decoded.files]
    chosen = {part: np.array([index for index, each in enumerate(parts) if each == part], np.int64) for part in PARTS}
    return {part: _pieces(decoded, labels, indices) for part, indices in chosen.items() if len(indices)}


def _pieces(decoded: Decoded, labels: np.ndarray, indices: np.ndarray) -> Pieces:
    whole = len(indices) == len(labels)
    groups = [decoded.files[index].group for index in indices]
    images = decoded.images if whole else decoded.images[indices]
    return Pieces(images, labels[indices], decoded.keys[indices], groups if any(groups) else [])


def _doubts(found: ImageFiles, decoded: Decoded) -> Sequence[str]:
    doubts = []
    if decoded.problems:
        doubts.append(f"{len(decoded.problems):,} of {len(found.files):,} image files cannot be read")
    if found.empty_classes:
        doubts.append(f"no image in {in_title(', '.join(found.empty_classes))}")
    if gone := _lost_classes(found.files, decoded.files):
        doubts.append(f"no readable image of {in_title(', '.join(gone))}")
    return doubts


def _lost_classes(files: Sequence[ImageFile], usable: Sequence[ImageFile]) -> list[str]:
    return sorted({each.label for each in files} - {each.label for each in usable})
