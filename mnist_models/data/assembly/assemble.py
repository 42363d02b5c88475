"""From what a format has found to a data set: labels, channels, sizes, a test part, and what is doubtful."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_models.data.assembly.doubts import doubts
from mnist_models.data.assembly.labels import as_classes
from mnist_models.data.assembly.near_duplicates import near_duplicates
from mnist_models.data.assembly.pixel_scale import pixel_scale
from mnist_models.data.assembly.test_part import SHARE, is_for_test
from mnist_models.data.assembly.validate import as_bytes, check_images, checked
from mnist_models.data.content_keys import Keys, keys_of
from mnist_models.data.dataset import Dataset, Facts
from mnist_models.data.found import LabelledArrays, Part
from mnist_models.data.options import DataOptions
from mnist_models.errors import InvalidInput
from mnist_models.images.fit import Fit, fitted

AT_ONCE = 256  # images that are worked on together
CHANNELS_FIRST = (1, 3)


class Origin(NamedTuple):
    """Where data come from."""

    name: str
    source: str  # the path, as it is shown


class Pieces(NamedTuple):
    """Images uint8 with their labels int32, as one part of a data set."""

    images: np.ndarray
    labels: np.ndarray
    keys: Keys
    groups: list[str]  # empty if there are none


class Pictures(NamedTuple):
    """Arrays of any type and scale as images uint8 [n, h, w] or [n, h, w, 3] and labels int32 [n], by part."""

    images: dict[Part, np.ndarray]
    labels: dict[Part, np.ndarray]
    groups: dict[Part, list[str]]  # empty lists if there are none
    class_names: tuple[str, ...]
    pixels: str  # in words, how the values of the pixels were understood


def assemble_arrays(found: LabelledArrays, origin: Origin, options: DataOptions, folder: Path) -> Dataset:
    """Return the data set that arrays make up; raise InvalidInput for what it cannot be made of.

    Large arrays that are made on the way are mapped from `folder`.
    """
    pictures = as_pictures(found, origin.source, options, bool(options.image_size))
    images, words, fit = pictures.images, "as they are", None
    keys = {part: keys_of(each) for part, each in images.items()}
    if options.image_size:
        images, fit, words = _resized(images, options, folder)
    pieces = {
        part: Pieces(each, pictures.labels[part], keys[part], pictures.groups[part]) for part, each in images.items()
    }
    facts = Facts(class_names=pictures.class_names, pixels=pictures.pixels, sizes=words, fit=fit)
    return assemble(pieces, facts, origin, folder)


def as_pictures(found: LabelledArrays, source: str, options: DataOptions, any_size: bool) -> Pictures:
    """Return what arrays show; raise InvalidInput for what is none, also for sides that are not of `any_size`."""
    where: dict[Part, tuple[str, str]] = {part: _names(found, part, source) for part in found.images}
    labels, class_names = as_classes(found.labels, found.class_names, {part: pair[1] for part, pair in where.items()})
    raw = {
        part: check_images(_oriented(images, options), where[part][0], any_size)
        for part, images in found.images.items()
    }
    for part, each in raw.items():
        if len(each) != len(labels[part]):
            both = f"{where[part][0]} and {where[part][1].removeprefix(f'{source}: ')}"
            raise InvalidInput(
                f"data: {both} must be equally long, but there are {len(each):,} images and"
                f" {len(labels[part]):,} labels."
            )
    called = {part: pair[0].removeprefix(f"{source}: ") for part, pair in where.items()}
    scale = pixel_scale({called[part]: each for part, each in raw.items()}, source, found.pixel_max)
    images = _in_one_kind({part: as_bytes(each, scale.most[called[part]]) for part, each in raw.items()}, source)
    groups = {part: _groups(found, part, len(each), where[part][0]) for part, each in images.items()}
    return Pictures(images, labels, groups, class_names, scale.words)


def assemble(pieces: dict[Part, Pieces], facts: Facts, origin: Origin, folder: Path) -> Dataset:
    """Return the data set; what has no part stated is for training, or where nothing is for the test, split."""
    stated = dict(pieces)
    if "test" not in stated:
        stated |= _split_off(stated, origin, folder)
        facts = replace(facts, test_part=f"a share of {SHARE:.0%}, chosen by the images' content")
    train = [stated[part] for part in ("", "train", "validation") if part in stated]
    if not train:
        raise InvalidInput(f"data: {origin.source} must hold a part to train on, but holds a test part only.")
    validation = len(stated["validation"].labels) if "validation" in stated and len(train) > 1 else 0
    training, test = _together(train, folder), stated["test"]
    has_own_keys = facts.fit is not None  # images that were not changed are their own keys
    dataset = checked(
        Dataset(
            *origin,
            *(training.images, training.labels, test.images, test.labels),
            facts=replace(facts, validation=validation),
            train_keys=training.keys if has_own_keys else None,
            test_keys=test.keys if has_own_keys else None,
            train_groups=_numbered(training.groups),
        )
    )
    return replace(
        dataset, facts=replace(dataset.facts, warnings=(*facts.warnings, *doubts(dataset, training.keys, test.keys)))
    )


def _names(found: LabelledArrays, part: Part, source: str) -> tuple[str, str]:
    """Return what images and labels of a part are called in an error."""
    images, _, labels = found.names.get(part, "").partition(" and ")
    default = {"train": "train", "": "train", "test": "test", "validation": "validation"}[part]
    return f"{source}: {images or f'x_{default}'}", f"{source}: {labels or f'y_{default}'}"


def _oriented(images: np.ndarray, options: DataOptions) -> np.ndarray:
    """Return images with their channels last, and rows and columns exchanged if the options say so."""
    if images.ndim == 4 and images.shape[1] in CHANNELS_FIRST and images.shape[3] not in CHANNELS_FIRST:
        images = np.moveaxis(images, 1, 3)
    return np.swapaxes(images, 1, 2) if options.transposed and images.ndim > 2 else images


def _in_one_kind(images: dict[Part, np.ndarray], source: str) -> dict[Part, np.ndarray]:
    """Return all parts in colour, or in grey if none has colours."""
    coloured = {part: each.ndim == 4 for part, each in images.items()}
    if len(set(coloured.values())) > 1:
        raise InvalidInput(f"data: {source} must hold images of one kind, but some parts are grey, some coloured.")
    if not any(coloured.values()):
        return images
    if any(_has_colours(each) for each in images.values()):
        return images
    return {part: each[..., 0] for part, each in images.items()}


def _has_colours(images: np.ndarray) -> bool:
    pieces = (images[start : start + AT_ONCE] for start in range(0, len(images), AT_ONCE))
    return any(bool((piece != piece[..., :1]).any()) for piece in pieces)


def _resized(
    images: dict[Part, np.ndarray], options: DataOptions, folder: Path
) -> tuple[dict[Part, np.ndarray], Fit | None, str]:
    side = options.image_size
    fit = Fit((side, side), 3 if next(iter(images.values())).ndim == 4 else 1, "crop" if options.crop else "letterbox")
    if all(each.shape[1:3] == fit.size for each in images.values()):
        return images, None, "as they are"
    resized = {}
    for part, each in images.items():
        made = _mapped((len(each), side, side, *each.shape[3:]), folder)
        for index, image in enumerate(each):
            made[index] = fitted(Image.fromarray(np.ascontiguousarray(image)), fit)
        resized[part] = made
    return resized, fit, f"{'cut to' if options.crop else 'letterboxed to'} {side}×{side}"


def _groups(found: LabelledArrays, part: Part, count: int, where: str) -> list[str]:
    groups = found.groups.get(part)
    if groups is None:
        return []
    if groups.shape != (count,) or groups.dtype.kind not in "iuUS":
        raise InvalidInput(f"data: {where}: groups must be one number or text for each image, not {groups.shape}.")
    return [str(each) for each in groups.tolist()]


def _split_off(pieces: dict[Part, Pieces], origin: Origin, folder: Path) -> dict[Part, Pieces]:
    """Return the training and the test part of what nothing splits; validation that is stated stays as it is."""
    source = next(part for part in ("", "train", "validation") if part in pieces)
    whole = pieces[source]
    alike = near_duplicates(whole.images, whole.keys)
    chosen = is_for_test(whole.keys, alike, whole.groups)
    if not chosen.any():
        raise InvalidInput(
            f"data: {origin.source} has no test part, and by their content none of its {len(chosen):,} images is one"
            " for the test; give more images, or a test part."
        )
    kept = _selected(whole, np.flatnonzero(~chosen), folder)
    return {source: kept, "test": _selected(whole, np.flatnonzero(chosen), folder)}


def _selected(pieces: Pieces, indices: np.ndarray, folder: Path) -> Pieces:
    images = _mapped((len(indices), *pieces.images.shape[1:]), folder)
    for start in range(0, len(indices), AT_ONCE):
        images[start : start + AT_ONCE] = pieces.images[indices[start : start + AT_ONCE]]
    groups = [pieces.groups[index] for index in indices] if pieces.groups else []
    return Pieces(images, pieces.labels[indices], pieces.keys[indices], groups)


def _together(parts: Sequence[Pieces], folder: Path) -> Pieces:
    """Return parts as one, in this order."""
    if len(parts) == 1:
        return parts[0]
    if len({each.images.shape[1:] for each in parts}) > 1:
        shapes = " and ".join("×".join(map(str, each.images.shape[1:])) for each in parts)
        raise InvalidInput(f"data: the images of all parts must have one size, but they are {shapes}.")
    images = _mapped((sum(len(each.images) for each in parts), *parts[0].images.shape[1:]), folder)
    start = 0
    for each in parts:
        images[start : start + len(each.images)] = each.images
        start += len(each.images)
    grouped = any(each.groups for each in parts)
    groups = [group for each in parts for group in each.groups or [""] * len(each.labels)] if grouped else []
    labels, keys = (np.concatenate([each[column] for each in parts]) for column in (1, 2))
    return Pieces(images, labels, keys, groups)


def _numbered(groups: list[str]) -> np.ndarray | None:
    """Return a number for each image's group, int32 [n]; images without one are each their own. None for no groups."""
    if not any(groups):
        return None
    first: dict[str, int] = {}
    return np.array(
        [first.setdefault(group, index) if group else index for index, group in enumerate(groups)], np.int32
    )


def _mapped(shape: tuple[int, ...], folder: Path) -> np.ndarray:
    """Return a new array uint8 that is mapped from a file, which the system writes where memory is short."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".npy", delete=False) as file:
        if not shape[0]:
            return np.zeros(shape, np.uint8)
        return np.memmap(file.name, np.uint8, "w+", shape=shape)
