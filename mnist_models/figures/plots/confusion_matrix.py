"""Which classes a classifier confuses, and its accuracy on each."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_models.evaluation.metrics import wilson_interval
from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis

NUMBERED = 20
"""Up to this many classes, a confusion matrix's cells hold their numbers."""

WORST_CLASSES = 30
WORST_PAIRS = 12
DIAGONAL = "#e8e8e8"


def confusion_figure(matrix: npt.NDArray[np.int64]) -> Figure:
    """Return mistakes by label (row) and prediction (column), from the counts int64 [k, k].

    Colour shows the mistakes only, on a logarithmic scale. The diagonal is grey, because its counts are so large that
    no mistake would be visible beside them. The most frequent mistakes are listed on the right.
    """
    k = len(matrix)
    wrong = np.where(np.eye(k, dtype=bool), 0, matrix)
    total, mistakes = int(matrix.sum()), int(wrong.sum())
    figure = style.new_figure(6.7, f"{mistakes:,} mistake{'s' if mistakes != 1 else ''} among {total:,} test images")
    axes = style.new_axes(figure, 0.75, 0.65, 2.15, 0.75)
    axes.grid(visible=False)
    axes.set_xlim(-0.5, k - 0.5)
    axes.set_ylim(k - 0.5, -0.5)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    # Squares of at least three pixels, so that a single mistake among a thousand classes is visible.
    cell = axes.bbox.width / k
    side = (cell - 1 if k <= NUMBERED else max(cell, 3.0)) * 72 / style.DPI
    diagonal = np.arange(k)
    axes.scatter(diagonal, diagonal, s=side**2, marker="s", color=DIAGONAL, linewidths=0)
    faintest = 0.15 if k <= NUMBERED else 0.45  # small squares need a strong colour
    strength = np.log(counts) / np.log(max(counts.max(initial=1), 8))
    axes.scatter(
        columns,
        rows,
        s=side**2,
        marker="s",
        c=faintest + (1 - faintest) * strength,
        cmap="YlOrRd",
        vmin=0,
        vmax=1.15,
        linewidths=0,
    )
    if k <= NUMBERED:
        axes.set_xticks(diagonal)
        axes.set_yticks(diagonal)
        _write_counts(axes, matrix)
    else:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(10, integer=True))
    style.label_axes(axes, "predicted", "label")
    style.heading(axes, "count of images", "grey: right")
    _list_worst_pairs(axes, rows, columns, counts)
    return figure


def _write_counts(axes: Axes, matrix: npt.NDArray[np.int64]) -> None:
    k = len(matrix)
    strongest = np.where(np.eye(k, dtype=bool), 0, matrix).max()
    # Four digits and a gap fill a cell; each is about 0.64 of the text's size wide.
    size = min(style.TEXT + 1, 5.3 * 72 / k / 4 / 0.64)
    for row, column in np.argwhere(matrix):
        count = matrix[row, column]
        dark = row != column and np.log(count) > 0.65 * np.log(max(strongest, 8))
        colour = "white" if dark else style.MUTED if row == column else style.INK
        axes.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=colour)


def _list_worst_pairs(
    axes: Axes,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> None:
    order = np.argsort(-counts, kind="stable")[:WORST_PAIRS]
    lines = [f"{counts[pair]:,} ×  {rows[pair]} taken for {columns[pair]}" for pair in order]
    text = "\n".join(["most frequent", *lines] if lines else ["no mistakes"])
    style.write(axes, text, (1, 1), "axes fraction", (14, 0), va="top", fontsize=style.TEXT, linespacing=1.6)


def per_class_accuracy(matrix: npt.NDArray[np.int64]) -> Figure:
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
    axes.axvline(float(error_position(overall)), color=style.GREEN, linestyle=(0, (5, 3)), linewidth=1.4)
    label_error_axis(axes, *error_limits(np.append(intervals, overall)), "x")
    axes.set_yticks(places, [f"class {c}" for c in classes])
    axes.set_ylim(len(classes) - 0.5, -0.5)
    for place, c in enumerate(classes):
        text = f"{style.percent(correct[c] / images[c])}  of {images[c]:,}"
        style.write(axes, text, (1, place), ("axes fraction", "data"), (8, 0))
    style.heading(axes, f"dashed: all classes, {style.percent(overall)}", "bars: 95 % interval")
    return figure
