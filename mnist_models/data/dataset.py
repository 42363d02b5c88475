"""What every recipe is trained and tested on: labelled images."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ARRAYS = ("x_train", "y_train", "x_test", "y_test")  # of a data set, as its fields and in files


@dataclass(frozen=True, eq=False)  # == on arrays is no single truth; compare digests
class Dataset:
    """Training and test images with their labels; `mnist_models.data.validate.validated` makes one.

    Images are uint8 [n, height, width], 0 (background) to 255; labels are int32 [n], 0 to `classes` - 1. An axis for
    channels would come last and only where there are several: Pillow, matplotlib and the served model expect that.
    The arrays are read-only, so that `digest` stays true.
    """

    name: str
    source: str  # what the user sees: "official MNIST, from the cache", or the path
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    known_digest: str = ""  # stored beside the arrays in their folder
    pixels: str = ""  # in words, how the values of the pixels were understood

    @property
    def classes(self) -> int:
        """Return the number of classes: every label from 0 to `classes` - 1 occurs in training."""
        return int(self.y_train.max()) + 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Return (height, width, channels) of every image; a network takes this shape."""
        height, width, channels = (*self.x_train.shape[1:], 1)[:3]
        return height, width, channels

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the arrays' shapes and contents, as 64 hex digits; name and source do not count."""
        if self.known_digest:
            return self.known_digest
        digest = hashlib.sha256()
        for array in (getattr(self, name) for name in ARRAYS):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
