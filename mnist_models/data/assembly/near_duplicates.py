"""Images that show the same picture: equal ones, and nearly equal ones, such as a photo that was saved again."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_models.data.content_keys import keys_of

SIDE = 16  # of the thumbnails that are compared
NEAR = 8.0  # levels of 255, by which thumbnails of one picture differ at most (root of the mean square)
ALIKE = 0.5  # correlation of the fine details of two images of one picture, at least: noise has none
LARGEST = 0.5  # of all images; what links more of them is what they all look like, and not that they are copies
COMPONENTS = 12  # principal ones, in which neighbours are looked for
NEIGHBOURS = 8
CHUNK = 1000

Images = npt.NDArray[np.uint8]


def near_duplicates(images: Images) -> npt.NDArray[np.int64]:
    """Return a number for each image uint8 [n, h, w] or [n, h, w, 3], int64 [n]: the same for those that are alike.

    Two images are, if they are equal, or if small versions of them hardly differ and their fine details fit each other.
    So a photo that was saved again or made smaller is found, and other images of the same simple thing are not.
    """
    equal = np.arange(len(images))
    _join(equal, _equal(images))
    firsts = np.unique(np.array([_root(equal, index) for index in range(len(images))], np.int64))
    parents = np.array(equal)
    if len(firsts) > 1:
        _join(parents, _alike(images, firsts))
    found = np.array([_root(parents, index) for index in range(len(images))], np.int64)
    sizes = np.bincount(found, minlength=len(images))[found]
    exact = np.array([_root(equal, index) for index in range(len(images))], np.int64)
    return np.where(sizes > LARGEST * len(images), exact, found)


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


def _equal(images: Images) -> Iterator[tuple[int, int]]:
    first: dict[int, int] = {}
    for index, key in enumerate(keys_of(images).tolist()):
        yield first.setdefault(key, index), index


def _alike(images: Images, indices: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield pairs of `indices` whose images are alike, though not equal."""
    from scipy.spatial import cKDTree

    small = np.concatenate([_thumbnails(images[piece]) for piece in _pieces(indices)])
    radius = NEAR * float(np.sqrt(small.shape[1]))
    centred = small - small.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    projected = centred @ axes[:, -COMPONENTS:]  # in which no two are farther apart than in all dimensions
    tree = cKDTree(projected)
    for own in _pieces(np.arange(len(indices))):
        _, near = tree.query(projected[own], k=NEIGHBOURS, distance_upper_bound=radius, workers=-1)
        for place, others in zip(own, near, strict=True):
            others = others[others < place]
            close = others[np.linalg.norm(small[others] - small[place], axis=1) <= radius]
            if not len(close):
                continue
            details = _details(images[indices[place]])
            for other in close:
                if float(details @ _details(images[indices[other]])) >= ALIKE:
                    yield int(indices[place]), int(indices[other])


def _join(parents: npt.NDArray[np.int64], pairs: Iterable[tuple[int, int]]) -> None:
    for one, other in pairs:
        first, second = sorted((_root(parents, one), _root(parents, other)))
        parents[second] = first


def _root(parents: npt.NDArray[np.int64], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index
