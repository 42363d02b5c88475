"""What every recipe is trained and tested on: labelled greyscale images."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)  # == on arrays is no single truth; compare digests
class Dataset:
    """Training and test images with their labels; `mnist_models.data.validate.validated` makes one.

    Images are uint8 [n, height, width], 0 (background) to 255; labels are int32 [n], 0 to `classes` - 1.
    The arrays are read-only, so that `digest` stays true.
    """

    name: str
    source: str  # what the user sees: "official MNIST, from the cache", or the path
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    known_digest: str = ""  # computed by whoever wrote the arrays to a file

    @property
    def classes(self) -> int:
        """The number of classes: every label from 0 to `classes` - 1 occurs in training."""
        return int(self.y_train.max()) + 1

    @property
    def image_shape(self) -> tuple[int, int]:
        """(height, width) of every image."""
        height, width = self.x_train.shape[1:]
        return height, width

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the shapes and contents of the four arrays, as 64 hex digits; name and source do not count."""
        if self.known_digest:
            return self.known_digest
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
