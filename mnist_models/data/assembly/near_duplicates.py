"""Images that show the same picture: equal ones, and nearly equal ones, such as a photo that was saved again."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_models.data.content_keys import Images, Keys

SIDE = 16  # of the thumbnails that are compared
NEAR = 8.0  # levels of 255, by which thumbnails of one picture differ at most (root of the mean square)
ALIKE = 0.5  # correlation of the fine details of two images of one picture, at least: noise has none
LARGEST = 0.5  # of all images; what links more of them is what they all look like, and not that they are copies
COMPONENTS = 12  # principal ones, in which neighbours are looked for
NEIGHBOURS = 5  # nearest ones that are looked at; those of one picture lie far nearer than others
MOST_MEASURED = 5000  # images from which the components are taken
CHUNK = 1000


def near_duplicates(images: Images, keys: Keys) -> npt.NDArray[np.int64]:
    """Return a number for each image uint8 [n, h, w] or [n, h, w, 3], int64 [n]: the same for those that are alike.

    Two images are, if they are equal, or if small versions of them hardly differ and their fine details fit each other.
    So a photo that was saved again or made smaller is found, and other images of the same simple thing are not. `keys`,
    uint64 [n], are equal for equal images.
    """
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    equal = first[inverse].astype(np.int64)
    parents = np.array(equal)
    if len(first) > 1:
        _join(parents, _alike(images, np.sort(first)))
    found = np.array([_root(parents, index) for index in range(len(images))], np.int64)
    sizes = np.bincount(found, minlength=len(images))[found]
    return np.where(sizes > LARGEST * len(images), equal, found)


def joined(*numberings: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one numbering int64 [n] of groups: two images share a number if they are linked by any of `numberings`."""
    parents = np.arange(len(numberings[0]))
    for numbers in numberings:
        first: dict[int, int] = {}
        _join(parents, ((first.setdefault(number, index), index) for index, number in enumerate(numbers.tolist())))
    return np.array([_root(parents, index) for index in range(len(parents))], np.int64)


def _pieces(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return (array[start : start + CHUNK] for start in range(0, len(array), CHUNK))


def _thumbnails(images: Images) -> npt.NDArray[np.float32]:
    """Return small images float32 [n, SIDE² · channels], averaged over areas of whole pixels."""
    count, height, width = images.shape[:3]
    lines = images.reshape(count, height, -1)
    tops, lefts = _starts(height), _starts(width)
    rows = np.empty((count, SIDE, lines.shape[2]), np.float32)
    for index in range(SIDE):
        # Whole numbers are added first, which takes a fifth of the time of adding floats.
        rows[:, index] = lines[:, tops[index] : tops[index + 1]].sum(axis=1, dtype=np.uint32)
    averages = np.zeros((width, SIDE), np.float32)
    for index in range(SIDE):
        averages[lefts[index] : lefts[index + 1], index] = 1 / (lefts[index + 1] - lefts[index])
    rows /= np.diff(tops)[:, None]
    small: npt.NDArray[np.float32] = np.einsum(
        "nrwc,wk->nrkc", rows.reshape(count, SIDE, width, -1), averages, optimize=True
    )
    return small.reshape(count, -1)


def _starts(length: int) -> npt.NDArray[np.int64]:
    """Return where each of SIDE areas of a line of pixels begins, and where the last ends."""
    return np.append(np.linspace(0, length, SIDE, endpoint=False).astype(np.int64), length)


def _details(image: Images) -> npt.NDArray[np.float32]:
    """Return what differs from its surroundings in an image [h, w] or [h, w, 3], as a vector of length 1."""
    from scipy import ndimage

    grey = image.astype(np.float32) if image.ndim == 2 else image.mean(axis=2, dtype=np.float32)
    details = (grey - ndimage.uniform_filter(grey, max(3, min(grey.shape) // 8))).ravel()
    length = float(np.linalg.norm(details))
    scaled: npt.NDArray[np.float32] = details / length if length else details
    return scaled


def _alike(images: Images, indices: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield pairs of `indices` whose images are alike, though not equal."""
    from scipy.spatial import cKDTree

    # As bytes, because they are all that is held of a set that may be larger than the memory.
    small = np.concatenate([np.rint(_thumbnails(images[piece])).astype(np.uint8) for piece in _pieces(indices)])
    radius = NEAR * float(np.sqrt(small.shape[1]))
    projected = _projected(small)
    tree = cKDTree(projected)
    for own in _pieces(np.arange(len(indices))):
        _, near = tree.query(projected[own], NEIGHBOURS, eps=2, distance_upper_bound=radius, workers=-1)
        for place, others in zip(own, near, strict=True):
            others = others[others < place]
            apart = small[others].astype(np.float32) - small[place]
            close = others[np.linalg.norm(apart, axis=1) <= radius]
            if not len(close):
                continue
            details = _details(images[indices[place]])
            for other in close:
                if float(details @ _details(images[indices[other]])) >= ALIKE:
                    yield int(indices[place]), int(indices[other])


def _projected(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return [n, COMPONENTS] coordinates in which no two of n vectors are farther apart than in all dimensions."""
    middle = np.mean([piece.mean(axis=0) for piece in _pieces(small)], axis=0, dtype=np.float32)
    chosen = small[:: max(1, len(small) // MOST_MEASURED)].astype(np.float32) - middle
    _, axes = np.linalg.eigh(chosen.T @ chosen)
    best = np.ascontiguousarray(axes[:, -COMPONENTS:], np.float32)
    return np.concatenate([(piece.astype(np.float32) - middle) @ best for piece in _pieces(small)])


def _join(parents: npt.NDArray[np.int64], pairs: Iterable[tuple[int, int]]) -> None:
    for one, other in pairs:
        first, second = sorted((_root(parents, one), _root(parents, other)))
        parents[second] = first


def _root(parents: npt.NDArray[np.int64], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index
