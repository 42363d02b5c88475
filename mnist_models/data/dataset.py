"""What every recipe is trained and tested on: labelled images."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mnist_models.data.content_keys import keys_of
from mnist_models.images.fit import Fit

ARRAYS = ("x_train", "y_train", "x_test", "y_test")  # of a data set, as its fields and in files
MORE_ARRAYS = ("train_keys", "test_keys", "train_groups")  # that not every data set has


@dataclass(frozen=True)
class Facts:
    """What is known of a data set besides its arrays."""

    class_names: tuple[str, ...] = ()  # empty: the classes are numbers
    validation: int = 0  # so many images at the end of the training part are the user's own validation part
    pixels: str = ""  # in words, how the values of the pixels were understood
    own_sizes: str = ""  # in words, of the image files that it was made of
    sizes: str = "as they are"  # in words, how images got one size
    fit: Fit | None = None  # the same for programs; None where nothing was done
    test_part: str = ""  # in words, how it was chosen, if it was
    warnings: tuple[str, ...] = ()  # what is doubtful, a sentence each
    unreadable: tuple[str, ...] = ()  # a sentence for each file that cannot be used
    left_alone: tuple[str, ...] = ()  # what else was there
    version: str = ""  # NAME@3, of a named data set
    version_digest: str = ""  # SHA-256 of what that version holds, whatever was made of it


@dataclass(frozen=True, eq=False)  # == on arrays is no single truth; compare digests
class Dataset:
    """Training and test images with their labels; `mnist_models.data.assembly.validate.validated` makes one.

    Images are uint8 [n, height, width], 0 (background) to 255, or [n, height, width, 3] in red, green and blue; labels
    are int32 [n], 0 to `classes` - 1. The arrays are read-only, so that `digest` stays true.
    """

    name: str
    source: str  # what the user sees: "official MNIST, from the cache", or the path
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    known_digest: str = ""  # stored beside the arrays in their folder
    facts: Facts = field(default_factory=Facts)
    train_keys: np.ndarray | None = None  # uint64 [n], of the files' contents; None: of the images themselves
    test_keys: np.ndarray | None = None
    train_groups: np.ndarray | None = None  # int32 [n], images of one number must not be split; None: no groups

    @property
    def pixels(self) -> str:
        """How the values of the pixels were understood, in words."""
        return self.facts.pixels

    @property
    def classes(self) -> int:
        """Return the number of classes: every label from 0 to `classes` - 1 occurs in training."""
        return int(self.y_train.max()) + 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return a name for each class; those of numbers are the numbers."""
        return self.facts.class_names or tuple(str(number) for number in range(self.classes))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Return (height, width, channels) of every image; a network takes this shape."""
        height, width, channels = (*self.x_train.shape[1:], 1)[:3]
        return height, width, channels

    @cached_property
    def keys(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a key for each training and each test image, uint64 [n]: equal images have equal keys."""
        train = keys_of(self.x_train) if self.train_keys is None else self.train_keys
        return train, keys_of(self.x_test) if self.test_keys is None else self.test_keys

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of all that decides a training or is told of its result, as 64 hex digits.

        That is the arrays' shapes and contents, the names of classes that have some, and what is held out or grouped.
        Name and source do not count.
        """
        if self.known_digest:
            return self.known_digest
        digest = hashlib.sha256()
        for name in (*ARRAYS, *MORE_ARRAYS):
            array: np.ndarray | None = getattr(self, name)
            if array is not None:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        if self.facts.class_names or self.facts.validation:
            digest.update(json.dumps([self.facts.class_names, self.facts.validation]).encode())
        return digest.hexdigest()
