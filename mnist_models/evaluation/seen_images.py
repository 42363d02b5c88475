"""On which images two models can be compared, where each was trained on its own version of a data set."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_models.evaluation.significance import Correct, paired_difference_interval

Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


class ImageKeys(NamedTuple):
    """Keys uint64 of the contents of the images that a model was trained and tested on."""

    train: Keys
    test: Keys


def unseen(test: Keys, *trainings: Keys) -> Mask:
    """Return which of the images with the keys `test` [n] are in none of the training parts, bool [n]."""
    result: Mask = ~np.isin(test, np.concatenate(trainings))
    return result


def by_origin(candidate: Correct, champion: Correct, is_common: Mask) -> Iterator[tuple[str, float]]:
    """Yield how both models do on the images that the champion's test part held as well, and on the new ones.

    All arguments are bool [n], of the same images; True for a correct prediction. Yields name and value of each number.
    """
    for origin, chosen in (("common", is_common), ("new", ~is_common)):
        count = int(chosen.sum())
        yield f"{origin}_images", count
        if count:
            difference, low, high = paired_difference_interval(candidate[chosen], champion[chosen])
            yield f"{origin}_candidate_accuracy", float(candidate[chosen].mean())
            yield f"{origin}_champion_accuracy", float(champion[chosen].mean())
            yield f"{origin}_difference", difference
            yield f"{origin}_difference_low", low
            yield f"{origin}_difference_high", high
