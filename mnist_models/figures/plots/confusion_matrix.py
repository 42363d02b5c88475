"""Where a classifier errs."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_models.evaluation.metrics import Evaluation, wilson_interval
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.figures.plots.style import (
    BLUE,
    DPI,
    GREEN,
    INK,
    MUTED,
    SMALL,
    TEXT,
    heading,
    new_axes,
    new_figure,
    percent,
)

NUMBERED = 20
"""Up to this many classes, a confusion matrix's cells hold their numbers."""

WORST_CLASSES = 30
WORST_PAIRS = 12
DIAGONAL = "#e8e8e8"


def confusion_matrix(matrix: npt.NDArray[np.int64]) -> Figure:
    """Mistakes by label (row) and prediction (column), from the counts int64 [k, k].

    Colour shows the mistakes only, on a logarithmic scale; the diagonal, which holds nearly all images and
    would outshine them, is grey. Beside it stand the most frequent mistakes.
    """
    k = len(matrix)
    wrong = np.where(np.eye(k, dtype=bool), 0, matrix)
    total, mistakes = int(matrix.sum()), int(wrong.sum())
    figure = new_figure(6.7, f"{mistakes:,} mistake{'s' if mistakes != 1 else ''} among {total:,} test images")
    axes = new_axes(figure, 0.75, 0.65, 2.15, 0.75)
    axes.grid(visible=False)
    axes.set_xlim(-0.5, k - 0.5)
    axes.set_ylim(k - 0.5, -0.5)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    # Squares of at least three pixels, so that a single mistake among a thousand classes is seen.
    cell = axes.bbox.width / k
    side = (cell - 1 if k <= NUMBERED else max(cell, 3.0)) * 72 / DPI
    diagonal = np.arange(k)
    axes.scatter(diagonal, diagonal, s=side**2, marker="s", color=DIAGONAL, linewidths=0)
    faintest = 0.15 if k <= NUMBERED else 0.45  # a small square must be strong to be seen
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
    axes.set_xlabel("predicted", fontsize=TEXT, color=INK)
    axes.set_ylabel("label", fontsize=TEXT, color=INK)
    heading(axes, "count of images", "grey: right")
    _list_worst_pairs(axes, rows, columns, counts)
    return figure


def _write_counts(axes: Axes, matrix: npt.NDArray[np.int64]) -> None:
    k = len(matrix)
    strongest = np.where(np.eye(k, dtype=bool), 0, matrix).max()
    # Four digits and a gap fill a cell; each is about 0.64 of the text's size wide.
    size = min(TEXT + 1, 5.3 * 72 / k / 4 / 0.64)
    for row, column in np.argwhere(matrix):
        count = matrix[row, column]
        dark = row != column and np.log(count) > 0.65 * np.log(max(strongest, 8))
        colour = "white" if dark else MUTED if row == column else INK
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
    axes.annotate(
        text,
        (1, 1),
        xycoords="axes fraction",
        xytext=(14, 0),
        textcoords="offset points",
        va="top",
        fontsize=TEXT,
        color=INK,
        linespacing=1.6,
    )


def per_class_accuracy(evaluation: Evaluation) -> Figure:
    """Each class's accuracy with its 95 % interval (Wilson 1927); the worst 30 if there are more classes.

    The axis gives each tenfold fall of the error rate equal room, see `scale.error_position`.
    """
    matrix = evaluation.confusion_matrix
    images, right = matrix.sum(axis=1), matrix.diagonal()
    tested = np.flatnonzero(images)
    shown = tested
    if len(tested) > WORST_CLASSES:
        worst = np.argsort(evaluation.per_class_accuracy[tested], kind="stable")[:WORST_CLASSES]
        shown = tested[worst]
    some = (
        f"the worst {len(shown)} of {len(tested):,} classes" if len(shown) < len(tested) else f"{len(tested)} classes"
    )
    figure = new_figure(1.35 + 0.24 * len(shown), f"Accuracy by class: {some}")
    axes = new_axes(figure, 0.95, 0.5, 1.5, 0.7)
    axes.grid(visible=False, axis="y")
    accuracies = evaluation.per_class_accuracy[shown]
    intervals = np.array([wilson_interval(int(right[c]), int(images[c])) for c in shown]).reshape(-1, 2)
    places = np.arange(len(shown))
    axes.hlines(
        places, error_position(intervals[:, 0]), error_position(intervals[:, 1]), color=BLUE, alpha=0.45, linewidth=3
    )
    axes.plot(error_position(accuracies), places, "o", color=BLUE, markersize=6)
    axes.axvline(float(error_position(evaluation.accuracy)), color=GREEN, linestyle=(0, (5, 3)), linewidth=1.4)
    label_error_axis(axes, *error_limits(np.append(intervals, evaluation.accuracy)), "x")
    axes.set_yticks(places, [f"class {c}" for c in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    for place, c in zip(places, shown, strict=True):
        axes.annotate(
            f"{percent(right[c] / images[c])}  of {images[c]:,}",
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    heading(axes, f"dashed: all classes, {percent(evaluation.accuracy)}", "bars: 95 % interval")
    return figure
