"""On which side a new image comes: once it has one, it keeps it for ever."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mnist_models.data.assembly.near_duplicates import joined
from mnist_models.data.assembly.test_part import is_for_test
from mnist_models.data.content_keys import Keys
from mnist_models.data.found import Part

PRECEDENCE: tuple[Part, ...] = ("train", "validation", "test")


def sides(parts: Sequence[Part], alike: npt.NDArray[np.int64], groups: Sequence[str], keys: Keys) -> list[Part]:
    """Return the side of each of n images; `parts` are those that they have, or that are stated, empty for none.

    Images that are `alike` (int64 [n], the same number) or of one group (a text each, empty for none) as others that
    have a side join it; if they have several, that of training, so that nothing is tested on that resembles what was
    trained on. Of the rest, the content's `key` (uint64 [n]) decides as in `is_for_test`.
    """
    named: dict[str, int] = {}
    by_group = [named.setdefault(group, index) if group else index for index, group in enumerate(groups)]
    numbers = joined(alike, np.array(by_group, np.int64))
    taken: dict[int, Part] = {}
    for part in reversed(PRECEDENCE):
        taken |= {number: part for number, own in zip(numbers.tolist(), parts, strict=True) if own == part}
    result = [own or taken.get(number, "") for own, number in zip(parts, numbers.tolist(), strict=True)]
    free = np.array([index for index, part in enumerate(result) if not part], np.int64)
    if len(free):
        _, renumbered = np.unique(numbers[free], return_inverse=True)
        chosen = is_for_test(keys[free], renumbered.astype(np.int64), [groups[index] for index in free])
        for index, is_test in zip(free.tolist(), chosen.tolist(), strict=True):
            result[index] = "test" if is_test else "train"
    return result
