"""The rules that a data set must satisfy before anything is trained on it."""

from typing import NoReturn

import numpy as np

from mnist_models.data.dataset import Dataset
from mnist_models.errors import InvalidInput

SIDES = (16, 128)  # smallest and largest height and width of an image, in pixels
CLASSES = (2, 1000)  # smallest and largest number of classes


def validated(
    name: str, source: str, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> Dataset:
    """Return the arrays as a `Dataset`.

    Images: [n, height, width] or [n, height, width, 1], of integers 0 to 255, or of floats that all lie in
    [0, 1] (scaled by 255) or in [0, 255], both rounded. Labels: [n], whole numbers from 0 without a gap.

    Raise InvalidInput for the first broken rule, with `source`, the array, what was found and what is allowed.
    """
    # One scale for both sets: a test set of dark images alone could look as if its values ran from 0 to 1.
    floats = [array for array in (x_train, x_test) if array.dtype.kind == "f" and array.size]
    scale = 255 if all(np.nanmax(array) <= 1 for array in floats) else 1
    checked = Dataset(
        name=name,
        source=source,
        x_train=_read_only(_images(x_train, f"{source}: x_train", scale)),
        y_train=_read_only(_labels(y_train, f"{source}: y_train")),
        x_test=_read_only(_images(x_test, f"{source}: x_test", scale)),
        y_test=_read_only(_labels(y_test, f"{source}: y_test")),
    )
    _check_together(checked)
    return checked


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidInput(f"data: {where} must {rule}.")


def _images(images: np.ndarray, where: str, scale: int) -> np.ndarray:
    """Return `images` as uint8 [n, height, width]; floats are multiplied by `scale`."""
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3:
        _refuse(where, f"hold greyscale images [n, height, width], but has the shape {images.shape}")
    if len(images) == 0:
        _refuse(where, "hold at least one image, but is empty")
    if any(not SIDES[0] <= side <= SIDES[1] for side in images.shape[1:]):
        _refuse(where, f"hold images of {SIDES[0]} to {SIDES[1]} pixels a side, but they are {_size(images)}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iuf":
        _refuse(where, f"hold integers from 0 to 255 or floats, but has the type {images.dtype}")
    if not np.isfinite(images).all():
        _refuse(where, "hold finite values, but some are NaN or infinite")
    low, high = images.min(), images.max()
    if low < 0 or high > 255:
        _refuse(where, f"hold values from 0 to 255, or floats from 0 to 1, but they run from {low} to {high}")
    return (np.rint(images * scale) if images.dtype.kind == "f" else images).astype(np.uint8)


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
