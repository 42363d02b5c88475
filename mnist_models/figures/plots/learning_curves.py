"""The curves of one training."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_models import metric_names as names
from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import accuracy_floor, loss_limit
from mnist_models.figures.plots.series import clip_finite, envelope, finite, first_nan, moving_average, series
from mnist_models.training_run.metrics_log import History

LOSS, ACCURACY = (names.TRAIN_LOSS, names.VALIDATION_LOSS), (names.TRAIN_ACCURACY, names.VALIDATION_ACCURACY)
DIVERGENCE: dict[str, Any] = {"color": style.WRONG, "linewidth": 1.4, "linestyle": (0, (1, 1.5))}


def learning_curves(
    history: History, title: str, *, test_accuracy: float | None = None, nan_step: int | None = None
) -> Figure:
    """Return loss (left) and accuracy (right) over the training steps.

    The axes are limited to where training spends most of its time, so that 99 % can be told from 98 %;
    an axis label says so where values lie outside. NaN and infinite values in `history` leave gaps.
    `test_accuracy`, 0 to 1, is a dashed line. The first loss that was not a number was that of `nan_step`, found in
    `history` if not given.
    """
    figure = style.new_figure(3.9, title)
    loss = style.new_axes(figure, 0.6, 0.55, 4.45, 0.75)
    accuracy = style.new_axes(figure, 4.6, 0.55, 0.3, 0.75)
    test = np.array([np.nan if test_accuracy is None else test_accuracy])
    floor = accuracy_floor(*(series(history, name)[1] for name in ACCURACY), test)
    _draw(loss, history, LOSS, 0, loss_limit(history))
    _draw(accuracy, history, ACCURACY, floor, 1)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    if len(finite(test)):
        accuracy.axhline(test[0], color=style.GREEN, linestyle=style.DASHED, label=f"test {style.percent(test[0])}")
    nan_step = first_nan(history) if nan_step is None else nan_step
    if nan_step is not None:
        accuracy.axvline(nan_step, **DIVERGENCE)
        loss.axvline(nan_step, **DIVERGENCE)
        offset, side = (4, "left") if nan_step < sum(loss.get_xlim()) / 2 else (-4, "right")
        text, look = f"loss is NaN from step {nan_step:,}", {"ha": side, "va": "baseline", "color": style.WRONG}
        style.write(loss, text, (nan_step, 0.93), ("data", "axes fraction"), (offset, 0), **look)
    style.legend(figure, accuracy)
    return figure


def _draw(axes: Axes, history: History, metrics: tuple[str, str], low: float, high: float) -> None:
    quantity, outside = "loss" if metrics == LOSS else "accuracy", False
    for metric in metrics:
        steps, values = series(history, metric)
        outside |= bool(((values < low) | (values > high)).any())
        near = clip_finite(values, 2 * low - high, 2 * high - low)
        if not len(finite(near)):
            continue
        if metric == metrics[1]:
            axes.plot(steps, near, "o-", color=style.ORANGE, markersize=4.5, linewidth=1.8, label="validation")
        elif len(finite(near)) == 1:
            axes.plot(steps, near, "o", color=style.BLUE, markersize=4.5, label="training")
        else:
            axes.plot(*envelope(steps, near, 400), color=style.SKY, linewidth=0.6, alpha=0.4)
            averaged = moving_average(near, len(near) // 60)
            axes.plot(*envelope(steps, averaged, 400), color=style.BLUE, linewidth=1.6, label="training")
    if not axes.lines:
        style.note(axes, f"no finite {quantity} recorded")
    margin = 0.02 * (high - low)
    axes.set_ylim(low - margin if quantity == "accuracy" else low, high + margin)
    last = max((int(series(history, name)[0].max(initial=0)) for name in history), default=0)
    axes.set_xlim(-0.02 * last, max(1.02 * last, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("step")
    limit = f"axis ends at {high:g}" if quantity == "loss" else f"axis starts at {100 * low:g} %"
    style.heading(axes, quantity, limit if outside else "")
