"""The training images that are held out for validation."""

from typing import TYPE_CHECKING

import numpy as np

from mnist_models.errors import InvalidInput

if TYPE_CHECKING:
    from mnist_models.data.dataset import Dataset

Indices = tuple[np.ndarray, np.ndarray]
"""For training and for validation, both int64 and ascending."""


def validation_split(data: "Dataset", fraction: float, seed: int) -> Indices:
    """Return the user's own validation part, or else hold out `fraction` as `stratified_split` or by whole groups."""
    if count := data.facts.validation:
        first = len(data.y_train) - count
        return np.arange(first), np.arange(first, len(data.y_train))
    if data.train_groups is not None:
        return _grouped_split(data.y_train, data.train_groups, fraction, seed)
    return stratified_split(data.y_train, fraction, seed)


def stratified_split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hold out `fraction` of the images, at random but with the same share of every class.

    All images are put into one order, and the first round(n · fraction) are held out. So the images of a smaller
    fraction are a subset of those of a larger one. Within a class the order is a permutation drawn from `seed` and the
    class; the image of rank r in a class of c comes at (r + ½) / c (the Webster/Sainte-Laguë method), so that each
    class is always within about one image of its share. With largest remainders a class could lose an image when
    the total grows.

    Args:
        labels: integers [n], at least 0; each class that occurs has at least two images.
        fraction: above 0, below 1. Every class keeps at least one image on each side, whatever it is.
        seed: at least 0.

    Returns:
        The indices for training and for validation, both int64 and ascending.

    Raises:
        InvalidInput: `fraction` or `seed` out of range, or a class with a single image.
    """
    if not 0 < fraction < 1:
        raise InvalidInput(f"validation_fraction must lie between 0 and 1, not {fraction}.")
    if seed < 0:
        raise InvalidInput(f"seed must be at least 0, not {seed}.")
    classes, counts = np.unique(labels, return_counts=True)
    if (counts < 2).any():
        raise InvalidInput(f"labels: class {classes[counts < 2][0]} has one image, and a split needs two of each.")
    turn = np.empty(len(labels))
    for label, count in zip(classes, counts, strict=True):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, int(label)])))
        turns = (np.arange(count) + 0.5) / count
        turns[0], turns[-1] = 0, 1  # the first of each class is always held out, the last never
        turn[np.flatnonzero(labels == label)] = generator.permutation(turns)
    held_out = min(max(round(len(labels) * fraction), len(classes)), len(labels) - len(classes))
    order = np.argsort(turn, kind="stable")
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _grouped_split(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> Indices:
    """Hold out whole groups, in an order drawn from `seed`, until `fraction` of the images is reached.

    A group stays where it would take the last image of a class from the training. If that leaves none to hold out, the
    images are split without regard to groups.
    """
    _, sizes = np.unique(groups, return_counts=True)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(sizes)[:-1])
    room = max(1, round(len(labels) * fraction))
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed])))
    left, held_out = np.bincount(labels), np.zeros(len(labels), bool)
    for place in generator.permutation(len(sizes)):
        if sizes[place] > room:
            continue
        taken, counts = np.unique(labels[members[place]], return_counts=True)
        if (left[taken] > counts).all():
            left[taken] -= counts
            room -= sizes[place]
            held_out[members[place]] = True
    if not held_out.any():
        return stratified_split(labels, fraction, seed)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
