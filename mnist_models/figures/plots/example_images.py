"""Figures that show the images themselves, uint8 [n, h, w] or [n, h, w, 3], with the names of their classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mnist_models.class_titles import are_numbers, class_titles
from mnist_models.evaluation.metrics import Labels, Probabilities, mistake_indices
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.figures.plots import style
from mnist_models.figures.plots.lettering import drawable, width, wrapped
from mnist_models.figures.plots.montage import FRAME, GAP, Images, Tile, montage, place_of

COUNT, COLUMNS = 15, 5
SAMPLES, SAMPLE_COLUMNS = 120, 12
SAMPLES_PER_CLASS = (60, 48, 36, 24, 12, 6, 4, 3, 2, 1)
"""All divide, or are divided by, the 12 columns, so that a class begins at a row's start or at even distances."""


def sample_images(images: Images, labels: Labels, class_names: Sequence[str]) -> Figure:
    """Return the first images of each class in `labels` int32 [n]; of 120 classes if there are more."""
    classes, counts = np.unique(labels, return_counts=True)
    rows = classes[np.linspace(0, len(classes) - 1, min(len(classes), SAMPLES)).astype(np.int64)]
    each = next(number for number in SAMPLES_PER_CLASS if number * len(rows) <= SAMPLES)
    shown = class_titles(drawable(class_names))
    room = min(each, SAMPLE_COLUMNS) * place_of(SAMPLE_COLUMNS) - GAP
    lines = 1 if all(width(shown[label]) <= room for label in rows) else 2
    tiles: list[Tile | None] = []
    for label in rows:
        of_class, name = np.flatnonzero(labels == label)[:each], wrapped(shown[label], room, lines)
        tiles += [Tile(images[index], name if index == of_class[0] else ()) for index in of_class]
        tiles += [None] * (each - len(of_class))
    sizes = " to ".join(f"{count:,}" for count in sorted({counts.min(), counts.max()}))
    title = f"{len(rows)} of {len(classes):,} classes" if len(rows) < len(classes) else f"{len(classes)} classes"
    return montage(f"{len(labels):,} training images: {title}, each with {sizes} images", tiles, SAMPLE_COLUMNS, lines)


def predictions(images: Images, labels: Labels, probabilities: Probabilities, class_names: Sequence[str]) -> Figure:
    """Return the first 15 test images with labels int32 [n], predictions and confidences, from float32 [n, k]."""
    correct = int((predicted(probabilities) == labels).sum())
    title = f"First test images; {correct:,} of all {len(labels):,} are right ({style.percent(correct / len(labels))})"
    first = np.arange(min(COUNT, len(labels)))
    return _with_predictions(title, images[first], labels[first], probabilities[first], class_names)


def mistakes(images: Images, labels: Labels, probabilities: Probabilities, class_names: Sequence[str]) -> Figure:
    """Return the 15 most confident mistakes on the test images; arguments as for `predictions`."""
    wrong, n = mistake_indices(probabilities, labels), len(labels)
    if not len(wrong):
        return montage(f"{style.RIGHT_SIGN} No mistakes among {n:,} test images", [], COLUMNS, 0)
    count = f"{len(wrong):,} mistake{'s' if len(wrong) > 1 else ''}, {style.percent(len(wrong) / n)} of {n:,}"
    title = f"{count}; the {COUNT} most confident" if len(wrong) > COUNT else count
    first = wrong[:COUNT]
    return _with_predictions(title, images[first], labels[first], probabilities[first], class_names)


def _with_predictions(
    title: str, images: Images, labels: Labels, probabilities: Probabilities, class_names: Sequence[str]
) -> Figure:
    shown, numbers = drawable(class_names), are_numbers(class_names)
    room = place_of(COLUMNS) - GAP + FRAME
    answers = predicted(probabilities)
    chosen = probabilities[np.arange(len(answers)), answers]
    widest = max(map(width, {f"label {shown[each]}" for each in (*labels, *answers)}), default=0)
    lines = 1 if widest <= room else 2  # "label " is wider than a sign
    tiles = []
    for image, label, answer, confidence in zip(images, labels, answers, chosen, strict=True):
        sign, colour = (style.RIGHT_SIGN, style.RIGHT) if answer == label else (style.WRONG_SIGN, style.WRONG)
        above, percentage = wrapped(f"label {shown[label]}", room, lines), f"{100 * confidence:.1f} %"
        if numbers:
            marked: tuple[str, ...] = (f"{sign} predicted {shown[answer]}, {percentage}",)
        else:  # a name needs its line for itself
            marked = *wrapped(f"{sign} {shown[answer]}", room, lines), percentage
        tiles.append(Tile(image, above, marked, colour))
    return montage(title, tiles, COLUMNS, max((len(tile.lines + tile.marked) for tile in tiles), default=0))
