"""The order in which images are seen: a function of the seed and the step, so that no checkpoint holds it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class BatchOrder:
    """An endless sequence of permutations of the training set, cut into batches.

    Each pass sees every image once, also where the batch size does not divide the number of images: a batch may
    then end one pass and begin the next.
    """

    def __init__(self, images: int, batch_size: int, seed: int, stream: int) -> None:
        """A recipe that continues another has another `stream`, or it would see the same order again."""
        self.images, self.batch_size, self.seed, self.stream = images, batch_size, seed, stream
        self._pass = lru_cache(maxsize=5)(self._permutation)

    def batches(self, start: int, stop: int) -> NDArray[np.int32]:
        """Return the image indices of the steps [start, stop), 0-based: int32 [stop - start, batch_size]."""
        first, last = start * self.batch_size, stop * self.batch_size
        passes = range(first // self.images, (last - 1) // self.images + 1)
        stream = np.concatenate([self._pass(number) for number in passes])
        offset = first - passes[0] * self.images
        return stream[offset : offset + last - first].reshape(stop - start, self.batch_size)

    def _permutation(self, number: int) -> NDArray[np.int32]:
        random = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.stream, number)))
        return random.permutation(self.images).astype(np.int32)
