"""Several models side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.figures.plots.style import (
    AMBER,
    BLUE,
    INK,
    TEXT,
    heading,
    new_axes,
    new_figure,
    percent,
    shortened,
)


def comparison(
    names: Sequence[str],
    accuracies: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    statuses: Sequence[str],
) -> Figure:
    """Accuracies, 0 to 1 or NaN, with their intervals, the best at the top; the status "best" is highlighted.

    The axis gives each tenfold fall of the error rate equal room, so that 99.2 and 99.5 % lie as far apart
    as 80 and 87 %.
    """
    count = len(names)
    order = sorted(range(count), key=lambda index: -np.nan_to_num(accuracies[index], nan=-1.0))
    figure = new_figure(1.35 + 0.28 * count, f"Test accuracy of {count} model{'s' if count != 1 else ''}")
    axes = new_axes(figure, 2.45, 0.45, 1.75, 0.7)
    axes.grid(visible=False, axis="y")
    for place, index in enumerate(order):
        champion = statuses[index] == "best"
        colour, weight = (AMBER, "bold") if champion else (BLUE, "normal")
        if champion:
            axes.axhspan(place - 0.5, place + 0.5, color=AMBER, alpha=0.13, linewidth=0)
        if np.isfinite(accuracies[index]):
            ends = error_position([lows[index], highs[index]])
            axes.hlines(place, *ends, color=colour, alpha=0.55, linewidth=3)
            marker = "D" if champion else "o"
            axes.plot(error_position(accuracies[index]), place, marker, color=colour, markeredgecolor=INK, markersize=7)
        _beside(axes, place, 0, -8, "right", shortened(names[index]), weight)
        _beside(axes, place, 1, 8, "left", f"{percent(accuracies[index])}  {shortened(statuses[index], 13)}", weight)
    label_error_axis(axes, *error_limits([*lows, *highs, *accuracies]), "x")
    axes.set_ylim(max(count, 1) - 0.5, -0.5)
    axes.set_yticks([])
    heading(axes, "accuracy", "bars: 95 % interval")
    return figure


def _beside(axes: Axes, place: int, edge: int, offset: int, side: str, text: str, weight: str) -> None:
    axes.annotate(
        text,
        (edge, place),
        xycoords=("axes fraction", "data"),
        xytext=(offset, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=TEXT,
        color=INK,
        fontweight=weight,
        parse_math=False,
    )
