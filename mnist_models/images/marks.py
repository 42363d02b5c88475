"""How many drawings there are in what was found in a picture."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_models.images.background import Grey

SIDE = 100  # longest side of the shrunken ink in which they are counted
INK = 0.3  # of full ink is a mark's at least
LEAST_HEIGHT, LEAST_INK = 0.5, 0.15  # of the highest mark, and of the strongest; less belongs to another mark
SAME_COLUMNS, SAME_ROWS = 0.35, 0.1  # strokes of one digit share so much of the narrower and of the lower one's extent

Boxes = npt.NDArray[np.int64]


def count_marks(ink: Grey) -> int:
    """Return how many separate marks `ink` float32 [h, w] holds, such as digits side by side: 1 or more.

    Strokes that are not joined are one mark if they lie above and beside one another, or one of them is small, as the
    bar of a 5 or the dot of an i is.
    """
    from scipy import ndimage

    factor = min(1.0, SIDE / max(ink.shape))
    small = Image.fromarray(ink).resize(
        (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor))), Image.Resampling.BOX
    )
    strength = np.asarray(small)
    parts, count = ndimage.label(strength >= INK, structure=np.ones((3, 3)))
    found = [
        [*(side for span in area for side in (span.start, span.stop)), amount]
        for area, amount in zip(
            ndimage.find_objects(parts), ndimage.sum_labels(strength, parts, np.arange(1, count + 1)), strict=True
        )
    ]
    marks = _merged(found)
    if not marks:
        return 1
    highest, most = max(bottom - top for top, bottom, *_ in marks), max(mark[-1] for mark in marks)
    large = [mark for mark in marks if mark[1] - mark[0] >= LEAST_HEIGHT * highest and mark[-1] >= LEAST_INK * most]
    return len(large)


def _merged(parts: list[list[float]]) -> list[list[float]]:
    """Join boxes (top, bottom, left, right, ink) that belong together, until none does."""
    rest = sorted(parts, key=lambda part: -part[-1])
    marks: list[list[float]] = []
    while rest:
        top, bottom, left, right, ink = rest.pop(0)
        near = [other for other in rest if _together((top, bottom, left, right), other)]
        if near:
            rest = [other for other in rest if other not in near]
            group = [[top, bottom, left, right, ink], *near]
            tops, bottoms, lefts, rights, inks = zip(*group, strict=True)
            rest.insert(0, [min(tops), max(bottoms), min(lefts), max(rights), sum(inks)])
        else:
            marks.append([top, bottom, left, right, ink])
    return marks


def _together(one: tuple[float, float, float, float], other: list[float]) -> bool:
    return all(
        min(one[end], other[end]) - max(one[start], other[start])
        > share * min(one[end] - one[start], other[end] - other[start])
        for start, end, share in ((0, 1, SAME_ROWS), (2, 3, SAME_COLUMNS))
    )
