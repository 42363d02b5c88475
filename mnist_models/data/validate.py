"""The rules that a data set must satisfy before anything is trained on it."""

from typing import NoReturn

import numpy as np

from mnist_models.data.dataset import Dataset
from mnist_models.data.pixel_scale import pixel_scale
from mnist_models.errors import InvalidInput

SIDES = (16, 128)  # smallest and largest height and width of an image, in pixels
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

    Images: [n, height, width] or [n, height, width, 1], of integers 0 to 255, or of floats from 0 to 1 or from 0 to
    255 (`mnist_models.data.pixel_scale` decides that, unless `pixel_max` states it), which are rounded.
    Labels: [n], whole numbers from 0 without a gap.

    Raise InvalidInput for the first broken rule, with `source`, the array, what was found and what is allowed.
    """
    images = {"x_train": _images(x_train, f"{source}: x_train"), "x_test": _images(x_test, f"{source}: x_test")}
    scale = pixel_scale(images, source, stated.get("pixel_max"))
    checked = Dataset(
        name=name,
        source=source,
        x_train=_read_only(_as_bytes(images["x_train"], scale.most["x_train"])),
        y_train=_read_only(_labels(y_train, f"{source}: y_train")),
        x_test=_read_only(_as_bytes(images["x_test"], scale.most["x_test"])),
        y_test=_read_only(_labels(y_test, f"{source}: y_test")),
        pixels=scale.words,
    )
    _check_together(checked)
    return checked


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidInput(f"data: {where} must {rule}.")


def _images(images: np.ndarray, where: str) -> np.ndarray:
    """Return `images` as [n, height, width], finite numbers of their own type."""
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3:
        _refuse(where, f"hold greyscale images [n, height, width], but has the shape {images.shape}")
    if len(images) == 0:
        _refuse(where, "hold at least one image, but is empty")
    if any(not SIDES[0] <= side <= SIDES[1] for side in images.shape[1:]):
        _refuse(where, f"hold images of {SIDES[0]} to {SIDES[1]} pixels a side, but they are {_size(images)}")
    if images.dtype.kind not in "iuf":
        _refuse(where, f"hold integers from 0 to 255 or floats, but has the type {images.dtype}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        _refuse(where, "hold finite values, but some are NaN or infinite")
    return images


def _as_bytes(images: np.ndarray, most: float) -> np.ndarray:
    """Return `images`, which run from 0 to `most`, as uint8 from 0 to 255."""
    if images.dtype == np.uint8 and most == 255:
        return images
    if images.dtype.kind in "iu" and most == 255:
        return images.astype(np.uint8)
    return np.clip(np.rint(images * (255 / most)), 0, 255).astype(np.uint8)


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
    where, last = f"{data.source}: y_train", data.classes - 1
    if data.classes < CLASSES[0]:
        _refuse(where, f"hold at least {CLASSES[0]} classes, but every label is 0")
    counts = np.bincount(data.y_train)
    if (counts < 2).any():
        label = int(np.argmax(counts < 2))
        found = f"class {label} has {'one' if counts[label] else 'none'}"
        _refuse(where, f"hold at least two images of each class from 0 to {last}, but {found}")
    if (most := data.y_test.max()) > last:
        _refuse(f"{data.source}: y_test", f"hold only classes of y_train, 0 to {last}, but holds {most}")


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to; the caller's own array still can."""
    view = array.view()
    view.flags.writeable = False
    return view
