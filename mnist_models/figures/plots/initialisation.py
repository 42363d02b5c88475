"""What the initial weights do to a network's training."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis
from mnist_models.figures.plots.style import (
    INK,
    SERIES,
    SMALL,
    TEXT,
    heading,
    legend,
    new_axes,
    new_figure,
    percent,
    shortened,
)

EMPHASISED = 5
"""Epochs in which initial weights make their difference."""

Curve = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def initialisation_study(histories: Mapping[str, Curve]) -> Figure:
    """Validation accuracy per epoch of runs that differ in their initial weights, the first five epochs large.

    Each tenfold fall of the error rate takes equal room, see `scale.error_position`.

    Args:
        histories: epochs [m] and validation accuracies [m], 0 to 1 or NaN, by the initialisation's name.
    """
    figure = new_figure(4.3, "Validation accuracy")
    first = new_axes(figure, 0.65, 0.55, 3.55, 0.75)
    whole = new_axes(figure, 5.45, 0.55, 0.25, 0.75)
    early = {name: (epochs[:EMPHASISED], values[:EMPHASISED]) for name, (epochs, values) in histories.items()}
    _draw(first, early, f"first {EMPHASISED} epochs", size=7)
    _draw(whole, histories, "all epochs", size=3)
    _write_extremes(first, early)
    legend(figure, first)
    return figure


def _draw(axes: Axes, curves: Mapping[str, Curve], title: str, size: float) -> None:
    for (name, (epochs, values)), colour, marker in zip(curves.items(), cycle(SERIES), cycle("os^D"), strict=False):
        axes.plot(
            epochs,
            error_position(values),
            color=colour,
            marker=marker,
            markersize=size,
            label=shortened(name, 60 // len(curves)),
        )
    low, high = error_limits(np.concatenate([np.zeros(0), *(values for _, values in curves.values())]))
    room = 0.12 * (high - low)  # for the numbers over and under the curves
    label_error_axis(axes, low - room, high + room, "y")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.margins(x=0.09)
    axes.set_xlabel("epoch", fontsize=TEXT, color=INK)
    heading(axes, title)


def _write_extremes(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Write each epoch's best accuracy over it and its worst under it, where they cannot cover each other."""
    points: dict[int, list[tuple[float, str]]] = {}
    for (epochs, values), colour in zip(curves.values(), cycle(SERIES), strict=False):
        for epoch, value in zip(epochs.tolist(), values.tolist(), strict=True):
            if np.isfinite(value):
                points.setdefault(epoch, []).append((value, colour))
    for epoch, found in points.items():
        for (value, colour), offset, side in ((max(found), 8, "bottom"), (min(found), -8, "top"))[: len(found)]:
            axes.annotate(
                percent(value),
                (epoch, float(error_position(value))),
                xytext=(0, offset),
                textcoords="offset points",
                ha="center",
                va=side,
                fontsize=SMALL,
                color=colour,
            )
