"""Figures that show the images themselves."""

import numpy as np
from matplotlib.figure import Figure

from mnist_models.evaluation.metrics import Labels, Probabilities, mistake_indices
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.figures.plots import style
from mnist_models.figures.plots.montage import Images, Tile, montage

COUNT = 15
SAMPLES = 120
SAMPLES_PER_CLASS = (60, 48, 36, 24, 12, 6, 4, 3, 2, 1)
"""All divide, or are divided by, the 12 columns, so that a class begins at a row's start or at even distances."""


def sample_images(images: Images, labels: Labels) -> Figure:
    """Return the first images uint8 [n, h, w] of each class in `labels` int32 [n]; of 120 classes if there are more."""
    classes, counts = np.unique(labels, return_counts=True)
    rows = classes[np.linspace(0, len(classes) - 1, min(len(classes), SAMPLES)).astype(np.int64)]
    each = next(number for number in SAMPLES_PER_CLASS if number * len(rows) <= SAMPLES)
    tiles: list[Tile | None] = []
    for label in rows:
        of_class = np.flatnonzero(labels == label)[:each]
        tiles += [Tile(images[index], (f"class {label}",) if index == of_class[0] else ()) for index in of_class]
        tiles += [None] * (each - len(of_class))
    sizes = " to ".join(f"{count:,}" for count in sorted({counts.min(), counts.max()}))
    title = f"{len(rows)} of {len(classes):,} classes" if len(rows) < len(classes) else f"{len(classes)} classes"
    return montage(f"{len(labels):,} training images: {title}, each with {sizes} images", tiles, 12, 1)


def predictions(images: Images, labels: Labels, probabilities: Probabilities) -> Figure:
    """Return the first 15 test images uint8 [n, h, w] with labels [n], predictions and confidences, from [n, k]."""
    correct = int((predicted(probabilities) == labels).sum())
    title = f"First test images; {correct:,} of all {len(labels):,} are right ({style.percent(correct / len(labels))})"
    return _with_predictions(title, list(range(min(COUNT, len(labels)))), images, labels, probabilities)


def mistakes(images: Images, labels: Labels, probabilities: Probabilities) -> Figure:
    """Return the 15 most confident mistakes on the test images; arguments as for `predictions`."""
    wrong, n = mistake_indices(probabilities, labels), len(labels)
    if not len(wrong):
        return montage(f"{style.RIGHT_SIGN} No mistakes among {n:,} test images", [], 5, 0)
    count = f"{len(wrong):,} mistake{'s' if len(wrong) > 1 else ''}, {style.percent(len(wrong) / n)} of {n:,}"
    title = f"{count}; the {COUNT} most confident" if len(wrong) > COUNT else count
    return _with_predictions(title, wrong[:COUNT].tolist(), images, labels, probabilities)


def _with_predictions(
    title: str, indices: list[int], images: Images, labels: Labels, probabilities: Probabilities
) -> Figure:
    tiles = []
    for index, prediction in zip(indices, predicted(probabilities[indices]), strict=True):
        right = prediction == labels[index]
        sign, colour = (style.RIGHT_SIGN, style.RIGHT) if right else (style.WRONG_SIGN, style.WRONG)
        caption = f"{sign} predicted {prediction}, {100 * probabilities[index, prediction]:.1f} %"
        tiles.append(Tile(images[index], (f"label {labels[index]}", caption), colour))
    return montage(title, tiles, 5, 2)
