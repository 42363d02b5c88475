"""Which classes a classifier confuses, and its accuracy on each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_models.class_titles import class_titles
from mnist_models.evaluation.metrics import wilson_interval
from mnist_models.figures.plots import style
from mnist_models.figures.plots.confusion_layout import NUMBERED, TOP, Layout
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.figures.plots.lettering import drawable, fitted, width

WORST_CLASSES, WORST_PAIRS = 30, 12
LONGEST = 2.3  # inches for the name of a class beside its accuracy

Counts = npt.NDArray[np.int64]


def confusion_figure(matrix: Counts, class_names: Sequence[str]) -> Figure:
    """Return mistakes by label (row) and prediction (column), from the counts int64 [k, k].

    Colour shows the mistakes only, on a logarithmic scale. The diagonal is grey, because its counts are so large that
    no mistake would be visible beside them. The most frequent mistakes are listed on the right, or under the matrix
    where the names need more room.
    """
    k, total = len(matrix), int(matrix.sum())
    wrong = np.where(np.eye(k, dtype=bool), 0, matrix)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    mistakes, scale = int(counts.sum()), np.log(max(counts.max(initial=1), 8))
    names = drawable(class_names)
    worst = np.argsort(-counts, kind="stable")[:WORST_PAIRS]
    pairs = [(f"{counts[pair]:,}", names[rows[pair]], names[columns[pair]]) for pair in worst]
    layout = Layout(names, pairs)
    figure = style.new_figure(
        layout.height, f"{mistakes:,} mistake{'s' if mistakes != 1 else ''} among {total:,} test images"
    )
    right, bottom = style.WIDTH - layout.left - layout.side, layout.height - TOP - layout.side
    axes = style.new_axes(figure, layout.left, bottom, right, TOP)
    axes.grid(visible=False)
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5))
    # Squares of at least three pixels, so that a single mistake among a thousand classes is visible.
    cell = axes.bbox.width / k
    side = (cell - 1 if k <= NUMBERED else max(cell, 3.0)) * 72 / style.DPI
    squares: dict[str, Any] = {"s": side**2, "marker": "s", "linewidths": 0}
    diagonal = np.arange(k)
    axes.scatter(diagonal, diagonal, color="#e8e8e8", **squares)
    faintest = 0.15 if k <= NUMBERED else 0.45  # small squares need a strong colour
    strength = faintest + (1 - faintest) * np.log(counts) / scale
    axes.scatter(columns, rows, c=strength, cmap="YlOrRd", vmin=0, vmax=1.15, **squares)
    if k <= NUMBERED:
        _write_counts(axes, matrix, scale)
    layout.label(axes)
    axes.set(xlabel="predicted", ylabel="label")
    style.heading(axes, "count of images", "grey: right")
    layout.list_pairs(axes)
    return figure


def _write_counts(axes: Axes, matrix: Counts, scale: float) -> None:
    # Four digits and a gap fill a cell; each is about 0.64 of the text's size wide.
    size = min(style.TEXT + 1, axes.bbox.width * 72 / style.DPI / len(matrix) / 4 / 0.64)
    for row, column in np.argwhere(matrix):
        count = matrix[row, column]
        dark = row != column and np.log(count) > 0.65 * scale
        colour = "white" if dark else style.MUTED if row == column else style.INK
        axes.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=colour)


def per_class_accuracy(matrix: Counts, class_names: Sequence[str]) -> Figure:
    """Return each class's accuracy with its 95 % interval (Wilson 1927), from the counts int64 [k, k].

    Of more than 30 classes, the worst 30 are drawn. Each tenfold fall of the error rate takes equal room, see
    `error_position`.
    """
    images, correct = matrix.sum(axis=1), matrix.diagonal()
    classes = tested = np.flatnonzero(images)
    title = f"{len(tested)} classes"
    if len(tested) > WORST_CLASSES:
        classes = tested[np.argsort(correct[tested] / images[tested], kind="stable")[:WORST_CLASSES]]
        title = f"the worst {WORST_CLASSES} of {len(tested):,} classes"
    shown = class_titles(drawable(class_names))
    names = [fitted(shown[c], LONGEST * style.DPI, style.TEXT) for c in classes]
    left = max(0.95, max(width(name, style.TEXT) for name in names) / style.DPI + 0.2)
    figure = style.new_figure(1.35 + 0.24 * len(classes), f"Accuracy by class: {title}")
    axes = style.new_axes(figure, left, 0.5, 1.5, 0.7)
    axes.grid(visible=False, axis="y")
    overall = float(correct.sum() / images.sum())
    intervals = np.array([wilson_interval(int(correct[c]), int(images[c])) for c in classes])
    places = np.arange(len(classes))
    axes.hlines(places, *error_position(intervals.T), color=style.BLUE, alpha=0.45, linewidth=3)
    axes.plot(error_position(correct[classes] / images[classes]), places, "o", color=style.BLUE, markersize=6)
    axes.axvline(float(error_position(overall)), color=style.GREEN, linestyle=style.DASHED, linewidth=1.4)
    label_error_axis(axes, *error_limits(np.append(intervals, overall)), "x")
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_yticks(places, names, parse_math=False)
    for place, c in enumerate(classes):
        text = f"{style.percent(correct[c] / images[c])}  of {images[c]:,}"
        style.write(axes, text, (1, place), ("axes fraction", "data"), (8, 0))
    style.heading(axes, f"dashed: all classes, {style.percent(overall)}", "bars: 95 % interval")
    return figure
