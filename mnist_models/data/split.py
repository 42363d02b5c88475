"""The training images that are held out for validation."""

import numpy as np

from mnist_models.errors import InvalidInput


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
