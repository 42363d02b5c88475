"""The test accuracies of several models, ranked."""

import numpy as np
from matplotlib.figure import Figure

from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.shown_text import shortened


def accuracy_ranking(
    names: list[str], accuracies: list[float], lows: list[float], highs: list[float], statuses: list[str]
) -> Figure:
    """Return accuracies, 0 to 1 or NaN, with their intervals, the best at the top; the status "best" is highlighted.

    The axis gives each tenfold fall of the error rate equal room, so that 99.2 and 99.5 % lie as far apart
    as 80 and 87 %.
    """
    count = len(names)
    order = sorted(range(count), key=lambda index: -np.nan_to_num(accuracies[index], nan=-1.0))
    figure = style.new_figure(1.35 + 0.28 * count, f"Test accuracy of {count} model{'s' if count != 1 else ''}")
    axes = style.new_axes(figure, 2.45, 0.45, 1.75, 0.7)
    axes.grid(visible=False, axis="y")
    for place, index in enumerate(order):
        champion, accuracy = statuses[index] == "best", accuracies[index]
        colour = style.AMBER if champion else style.BLUE
        if champion:
            axes.axhspan(place - 0.5, place + 0.5, color=colour, alpha=0.13, linewidth=0)
        if np.isfinite(accuracy):
            axes.hlines(place, *error_position([lows[index], highs[index]]), color=colour, alpha=0.55, linewidth=3)
            marker = "D" if champion else "o"
            axes.plot(error_position(accuracy), place, marker, color=colour, markeredgecolor=style.INK, markersize=7)
        coords, text = ("axes fraction", "data"), f"{style.percent(accuracy)}  {shortened(statuses[index], 13)}"
        look = {"fontsize": style.TEXT, "fontweight": "bold" if champion else "normal"}
        style.write(axes, shortened(names[index], 30), (0, place), coords, (-8, 0), ha="right", **look)
        style.write(axes, text, (1, place), coords, (8, 0), **look)
    label_error_axis(axes, *error_limits([*lows, *highs, *accuracies]), "x")
    axes.set(ylim=(max(count, 1) - 0.5, -0.5), yticks=[])
    style.heading(axes, "accuracy", "bars: 95 % interval")
    return figure
