"""How initial weights change the training of a network."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.figures.plots.series import Steps, Values
from mnist_models.shown_text import shortened

EMPHASISED = 5  # number of first epochs, in which initial weights make a difference

Curves = Mapping[str, tuple[Steps, Values]]


def initialisation_study(histories: Curves) -> Figure:
    """Return validation accuracy by epoch, for runs that differ in their initial weights; five epochs are enlarged.

    `histories` holds epochs [m] and validation accuracies [m], 0 to 1 or NaN, by the initialisation's name.
    Each tenfold fall of the error rate takes equal room, see `error_position`.
    """
    figure = style.new_figure(4.3, "Validation accuracy")
    first = style.new_axes(figure, 0.65, 0.55, 3.55, 0.75)
    whole = style.new_axes(figure, 5.45, 0.55, 0.25, 0.75)
    early = {name: (epochs[:EMPHASISED], values[:EMPHASISED]) for name, (epochs, values) in histories.items()}
    _draw(first, early, f"first {EMPHASISED} epochs", size=7)
    _draw(whole, histories, "all epochs", size=3)
    _write_extremes(first, early)
    style.legend(figure, first)
    return figure


def _draw(axes: Axes, curves: Curves, title: str, size: float) -> None:
    looks = cycle(style.SERIES), cycle("os^D")
    for (name, (epochs, values)), colour, marker in zip(curves.items(), *looks, strict=False):
        label = shortened(name, 60 // len(curves))
        axes.plot(epochs, error_position(values), color=colour, marker=marker, markersize=size, label=label)
    low, high = error_limits(np.concatenate([np.zeros(0), *(values for _, values in curves.values())]))
    room = 0.12 * (high - low)  # for the numbers over and under the curves
    label_error_axis(axes, low - room, high + room, "y")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.margins(x=0.09)
    axes.set_xlabel("epoch")
    style.heading(axes, title)


def _write_extremes(axes: Axes, curves: Curves) -> None:
    """Write the best accuracy of each epoch above its point and the worst below, so that they do not overlap."""
    points: dict[int, list[tuple[float, str]]] = {}
    for (epochs, values), colour in zip(curves.values(), cycle(style.SERIES), strict=False):
        for epoch, value in zip(epochs.tolist(), values.tolist(), strict=True):
            if np.isfinite(value):
                points.setdefault(epoch, []).append((value, colour))
    for epoch, found in points.items():
        for (value, colour), offset, side in ((max(found), 8, "bottom"), (min(found), -8, "top"))[: len(found)]:
            at = (epoch, float(error_position(value)))
            style.write(axes, style.percent(value), at, offset=(0, offset), ha="center", va=side, color=colour)
