"""Which classes a classifier confuses, and its accuracy on each."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_models.evaluation.metrics import wilson_interval
from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis

NUMBERED = 20  # up to this many classes, a confusion matrix's cells hold their numbers
WORST_CLASSES, WORST_PAIRS = 30, 12

Counts = npt.NDArray[np.int64]


def confusion_figure(matrix: Counts) -> Figure:
    """Return mistakes by label (row) and prediction (column), from the counts int64 [k, k].

    Colour shows the mistakes only, on a logarithmic scale. The diagonal is grey, because its counts are so large that
    no mistake would be visible beside them. The most frequent mistakes are listed on the right.
    """
    k, total = len(matrix), int(matrix.sum())
    wrong = np.where(np.eye(k, dtype=bool), 0, matrix)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    mistakes, scale = int(counts.sum()), np.log(max(counts.max(initial=1), 8))
    figure = style.new_figure(6.7, f"{mistakes:,} mistake{'s' if mistakes != 1 else ''} among {total:,} test images")
    axes = style.new_axes(figure, 0.75, 0.65, 2.15, 0.75)
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
        axes.set(xticks=diagonal, yticks=diagonal)
        _write_counts(axes, matrix, scale)
    else:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(10, integer=True))
    axes.set(xlabel="predicted", ylabel="label")
    style.heading(axes, "count of images", "grey: right")
    worst = np.argsort(-counts, kind="stable")[:WORST_PAIRS]
    lines = [f"{counts[pair]:,} ×  {rows[pair]} taken for {columns[pair]}" for pair in worst]
    text = "\n".join(["most frequent", *lines] if lines else ["no mistakes"])
    style.write(axes, text, (1, 1), "axes fraction", (14, 0), va="top", fontsize=style.TEXT, linespacing=1.6)
    return figure


def _write_counts(axes: Axes, matrix: Counts, scale: float) -> None:
    # Four digits and a gap fill a cell; each is about 0.64 of the text's size wide.
    size = min(style.TEXT + 1, 5.3 * 72 / len(matrix) / 4 / 0.64)
    for row, column in np.argwhere(matrix):
        count = matrix[row, column]
        dark = row != column and np.log(count) > 0.65 * scale
        colour = "white" if dark else style.MUTED if row == column else style.INK
        axes.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=colour)


def per_class_accuracy(matrix: Counts) -> Figure:
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
    figure = style.new_figure(1.35 + 0.24 * len(classes), f"Accuracy by class: {title}")
    axes = style.new_axes(figure, 0.95, 0.5, 1.5, 0.7)
    axes.grid(visible=False, axis="y")
    overall = float(correct.sum() / images.sum())
    intervals = np.array([wilson_interval(int(correct[c]), int(images[c])) for c in classes])
    places = np.arange(len(classes))
    axes.hlines(places, *error_position(intervals.T), color=style.BLUE, alpha=0.45, linewidth=3)
    axes.plot(error_position(correct[classes] / images[classes]), places, "o", color=style.BLUE, markersize=6)
    axes.axvline(float(error_position(overall)), color=style.GREEN, linestyle=style.DASHED, linewidth=1.4)
    label_error_axis(axes, *error_limits(np.append(intervals, overall)), "x")
    axes.set(ylim=(len(classes) - 0.5, -0.5), yticks=places, yticklabels=[f"class {c}" for c in classes])
    for place, c in enumerate(classes):
        text = f"{style.percent(correct[c] / images[c])}  of {images[c]:,}"
        style.write(axes, text, (1, place), ("axes fraction", "data"), (8, 0))
    style.heading(axes, f"dashed: all classes, {style.percent(overall)}", "bars: 95 % interval")
    return figure
