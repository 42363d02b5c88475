"""The rules that a data set must satisfy before anything is trained on it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from mnist_models.data.assembly.pixel_scale import pixel_scale
from mnist_models.data.dataset import ARRAYS, Dataset, Facts
from mnist_models.data.options import SIDES
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title

MOST_SIDE = 4096  # of images that are going to be resized
CHUNK = 256  # images that are looked at together
CLASSES = (2, 1000)  # smallest and largest number of classes


def validated(
    name: str,
    source: str,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    **stated: np.ndarray,
) -> Dataset:
    """Return the arrays as a `Dataset`.

    Images: [n, height, width], [n, height, width, 1] or [n, height, width, 3], of integers 0 to 255, or of floats
    from 0 to 1 or from 0 to 255 (`pixel_scale` decides that, unless `pixel_max` states it), which are rounded.
    Labels: [n], whole numbers from 0 without a gap.

    Raise InvalidInput for the first broken rule, with `source`, the array, what was found and what is allowed.
    """
    images = {
        "x_train": check_images(x_train, f"{source}: x_train"),
        "x_test": check_images(x_test, f"{source}: x_test"),
    }
    scale = pixel_scale(images, source, stated.get("pixel_max"))
    dataset = Dataset(
        name=name,
        source=source,
        x_train=as_bytes(images["x_train"], scale.most["x_train"]),
        y_train=_labels(y_train, f"{source}: y_train"),
        x_test=as_bytes(images["x_test"], scale.most["x_test"]),
        y_test=_labels(y_test, f"{source}: y_test"),
        facts=Facts(pixels=scale.words),
    )
    return checked(dataset)


def checked(dataset: Dataset) -> Dataset:
    """Return the data set with read-only arrays; raise InvalidInput if they do not fit together."""
    _check_together(dataset)
    arrays: dict[str, Any] = {name: _read_only(getattr(dataset, name)) for name in ARRAYS}
    return replace(dataset, **arrays)


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidInput(f"data: {where} must {rule}.")


def check_images(images: np.ndarray, where: str, any_size: bool = False) -> np.ndarray:
    """Return `images` as [n, height, width] or [n, height, width, 3], finite numbers of their own type.

    Raise InvalidInput for others, also for sides that are not allowed unless they are of `any_size`.
    """
    if images.dtype.kind not in "iuf":
        _refuse(where, f"hold integers from 0 to 255 or floats, but has the type {images.dtype}")
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3 and (images.ndim != 4 or images.shape[3] != 3):
        shapes = "[n, height, width], or with a last axis of 1 or 3 channels"
        _refuse(where, f"hold images {shapes}, but has the shape {images.shape}")
    if len(images) == 0:
        _refuse(where, "hold at least one image, but is empty")
    low, high = (1, MOST_SIDE) if any_size else SIDES
    if any(not low <= side <= high for side in images.shape[1:3]):
        remedy = "" if any_size else "; --image-size brings them to one that is allowed"
        _refuse(where, f"hold images of {low} to {high} pixels a side, but they are {_size(images)}{remedy}")
    if images.dtype.kind == "f" and not all(np.isfinite(piece).all() for piece in _pieces(images)):
        _refuse(where, "hold finite values, but some are NaN or infinite")
    return images


def as_bytes(images: np.ndarray, most: float) -> np.ndarray:
    """Return `images`, which run from 0 to `most`, as uint8 from 0 to 255."""
    if images.dtype == np.uint8 and most == 255:
        return images
    if images.dtype.kind in "iu" and most == 255:
        return images.astype(np.uint8)
    converted = np.empty(images.shape, np.uint8)
    for start, piece in zip(range(0, len(images), CHUNK), _pieces(images), strict=True):
        converted[start : start + CHUNK] = np.clip(np.rint(piece * (255 / most)), 0, 255).astype(np.uint8)
    return converted


def _pieces(images: np.ndarray) -> Iterator[np.ndarray]:
    return (images[start : start + CHUNK] for start in range(0, len(images), CHUNK))


def _labels(labels: np.ndarray, where: str) -> np.ndarray:
    """Return `labels` as int32 [n]."""
    if labels.ndim != 1:
        _refuse(where, f"be [n], one whole number per image and not one-hot, but has the shape {labels.shape}")
    if len(labels) == 0:
        _refuse(where, "hold at least one label, but is empty")
    if labels.dtype.kind not in "iuf":
        _refuse(where, f"hold whole numbers, but has the type {labels.dtype}")
    if not (labels == np.rint(labels)).all():
        _refuse(where, "hold whole numbers, but some values are not whole")
    low, high = labels.min(), labels.max()
    if low < 0 or high >= CLASSES[1]:
        limit = f"(at most {CLASSES[1]:,} classes are allowed)"
        _refuse(where, f"hold labels from 0 to {CLASSES[1] - 1}, but they run from {low} to {high} {limit}")
    return labels.astype(np.int32)


def _size(images: np.ndarray) -> str:
    return f"{images.shape[1]}×{images.shape[2]}"


def _check_together(data: Dataset) -> None:
    """Refuse arrays that do not fit together."""
    for part, images, labels in (("train", data.x_train, data.y_train), ("test", data.x_test, data.y_test)):
        if len(images) != len(labels):
            found = f"{len(images):,} images and {len(labels):,} labels"
            _refuse(f"{data.source}: x_{part} and y_{part}", f"be equally long, but there are {found}")
    train, test = _size(data.x_train), _size(data.x_test)
    if test != train:
        _refuse(f"{data.source}: x_test", f"hold images of the size of x_train, {train}, but they are {test}")
    if data.x_train.ndim != data.x_test.ndim:
        _refuse(f"{data.source}: x_test", "be grey or coloured as x_train is")
    where, last = f"{data.source}: y_train", data.classes - 1
    if data.classes < CLASSES[0]:
        _refuse(where, f"hold at least {CLASSES[0]} classes, but every label is 0")
    counts = np.bincount(data.y_train)
    if (counts < 2).any():
        label = int(np.argmax(counts < 2))
        found = f"class {_title(data, label)} has {'one' if counts[label] else 'none'}"
        classes = "" if data.facts.class_names else f" from 0 to {last}"
        hint = ", now that a share is for the test; give more of them, or a test part" if data.facts.test_part else ""
        _refuse(where, f"hold at least two images of each class{classes}, but {found}{hint}")
    if (most := data.y_test.max()) > last:
        shown = f"hold only classes of y_train, 0 to {last}, but holds {most}"
        if data.facts.class_names:
            shown = f"hold only classes that the training part holds, but holds {_title(data, int(most))}"
        _refuse(f"{data.source}: y_test", shown)


def _title(data: Dataset, label: int) -> str:
    return in_title(data.class_names[label]) if label < len(data.class_names) else str(label)


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to; the caller's own array still can."""
    view = array.view()
    view.flags.writeable = False
    return view
