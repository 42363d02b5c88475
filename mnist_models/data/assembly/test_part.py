"""Which images are for the test where nothing says it: each by its own content, so that it keeps its side for ever."""

import numpy as np
import numpy.typing as npt

from mnist_models.data.assembly.near_duplicates import joined
from mnist_models.data.content_keys import Keys, key_of

SHARE = 0.2  # of every class, as far as chance has it


def is_for_test(keys: Keys, alike: npt.NDArray[np.int64], groups: list[str]) -> npt.NDArray[np.bool_]:
    """Return which of n images are for the test, bool [n].

    An image's `key` (of its content, uint64 [n]) decides: a share of SHARE of all keys lies below the limit, in every
    class. So nothing changes for an image when others are added. Images that are `alike` (int64 [n], the same number)
    or of one group (a text each, empty for none; an empty list for no groups at all) stay on one side: for the test
    only if all of them would be, so that what has been trained on is never tested on later. A group has one key of its
    own.
    """
    own = keys.astype(np.float64) / 2.0**64
    numbers = alike
    if any(groups):
        named: dict[str, int] = {}
        indices = [named.setdefault(group, index) if group else index for index, group in enumerate(groups)]
        own = np.array([_of_group(group) if group else mine for group, mine in zip(groups, own.tolist(), strict=True)])
        numbers = joined(alike, np.array(indices, np.int64))
    highest = np.zeros(len(keys))
    np.maximum.at(highest, numbers, own)
    result: npt.NDArray[np.bool_] = highest[numbers] < SHARE
    return result


def _of_group(group: str) -> float:
    return key_of(group.encode(errors="surrogateescape")) / 2.0**64
