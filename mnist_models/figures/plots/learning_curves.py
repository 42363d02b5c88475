"""The course of one training run."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from mnist_models.figures.plots.error_axis import accuracy_floor, loss_limit
from mnist_models.figures.plots.series import envelope, finite, first_nan, limited, series, smoothed
from mnist_models.figures.plots.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SKY,
    SMALL,
    TEXT,
    WRONG,
    heading,
    legend,
    new_axes,
    new_figure,
    note,
    percent,
)
from mnist_models.training_run.metrics_log import History

DIVERGENCE: dict[str, Any] = {"color": WRONG, "linewidth": 1.4, "linestyle": (0, (1, 1.5))}


def learning_curves(
    history: History, title: str, *, test_accuracy: float | None = None, nan_step: int | None = None
) -> Figure:
    """Loss (left) and accuracy (right) over the training steps.

    The axes are limited to where training spends most of its time, so that 99 % can be told from 98 %;
    an axis label says so where values lie outside.

    Args:
        history: steps and values by name, see `History`; NaN and infinite values leave gaps.
        title: written above the figure.
        test_accuracy: 0 to 1, drawn as a dashed line.
        nan_step: step of the first loss that was not a number; found in `history` if not given.
    """
    figure = new_figure(3.9, title)
    loss = new_axes(figure, 0.6, 0.55, 4.45, 0.75)
    accuracy = new_axes(figure, 4.6, 0.55, 0.3, 0.75)
    known = np.array([] if test_accuracy is None else [test_accuracy], np.float64)
    floor = accuracy_floor(series(history, "train/accuracy")[1], series(history, "validation/accuracy")[1], known)
    _draw(loss, history, "loss", 0, loss_limit(history))
    _draw(accuracy, history, "accuracy", floor, 1)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    if len(finite(known)):
        accuracy.axhline(known[0], color=GREEN, linestyle=(0, (5, 3)), label=f"test {percent(known[0])}")
    diverged = first_nan(history) if nan_step is None else nan_step
    if diverged is not None:
        accuracy.axvline(diverged, **DIVERGENCE)
        loss.axvline(diverged, **DIVERGENCE)
        _label_divergence(loss, diverged)
    legend(figure, accuracy)
    return figure


def _draw(axes: Axes, history: History, metric: str, low: float, high: float) -> None:
    outside = False
    for part in ("train", "validation"):
        steps, values = series(history, f"{part}/{metric}")
        outside |= bool(((values < low) | (values > high)).any())
        near = limited(values, 2 * low - high, 2 * high - low)
        if not len(finite(near)):
            continue
        if part == "validation":
            axes.plot(steps, near, color=ORANGE, marker="o", markersize=4.5, linewidth=1.8, label="validation")
        elif len(finite(near)) == 1:
            axes.plot(steps, near, color=BLUE, marker="o", markersize=4.5, linestyle="none", label="training")
        else:
            axes.plot(*envelope(steps, near, 400), color=SKY, linewidth=0.6, alpha=0.4)
            averaged = smoothed(near, len(near) // 60)
            axes.plot(*envelope(steps, averaged, 400), color=BLUE, linewidth=1.6, label="training")
    if not axes.lines:
        note(axes, f"no finite {metric} recorded")
    margin = 0.02 * (high - low)
    axes.set_ylim(low - margin if metric == "accuracy" else low, high + margin)
    last = max((int(series(history, name)[0].max(initial=0)) for name in history), default=0)
    axes.set_xlim(-0.02 * last, max(1.02 * last, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("step", fontsize=TEXT, color=INK)
    limit = f"axis ends at {high:g}" if metric == "loss" else f"axis starts at {100 * low:g} %"
    heading(axes, metric, limit if outside else "")


def _label_divergence(axes: Axes, step: int) -> None:
    beside, side = (4, "left") if step < sum(axes.get_xlim()) / 2 else (-4, "right")
    axes.annotate(
        f"loss is NaN from step {step:,}",
        (step, 0.93),
        xycoords=("data", "axes fraction"),
        xytext=(beside, 0),
        textcoords="offset points",
        ha=side,
        fontsize=SMALL,
        color=WRONG,
    )
