"""One metric of several trainings in one figure."""

from collections.abc import Mapping
from itertools import product
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis, loss_limit
from mnist_models.figures.plots.series import clip_finite, envelope, finite, first_nan, moving_average, series
from mnist_models.metric_names import VALIDATION_ACCURACY
from mnist_models.shown_text import shortened
from mnist_models.training_run.metrics_log import History

LOOKS = tuple(product(("-", (0, (4, 1.5)), (0, (1, 1))), style.SERIES))  # line style and colour of each curve


def overlaid_curves(
    histories: Mapping[str, History], metric: str = VALIDATION_ACCURACY, *, x: Literal["step", "share"] = "step"
) -> Figure:
    """Return one curve per run, listed in the order of their last values; a cross marks where a loss became NaN.

    On the accuracy axis each tenfold fall of the error rate takes equal room, see `error_position`. Values of a
    training metric are smoothed. `histories` are by the run's name; `x` is the training step, or the share of the
    run's own steps where the runs' lengths differ much.
    """
    figure = style.new_figure(max(4.6, 1.3 + 0.21 * len(histories)), f"{len(histories)} runs")
    axes = style.new_axes(figure, 0.7, 0.55, 3.2, 0.75)
    is_accuracy, by_step = metric.endswith("accuracy"), x == "step"
    nan_steps = {name: first_nan(history) for name, history in histories.items()}
    top = max((loss_limit(histories[name]) for name, nan_step in nan_steps.items() if nan_step is None), default=2.0)
    all_values, last_values, curves, texts = [np.zeros(0)], [], [], []
    for index, (name, nan_step) in enumerate(nan_steps.items()):
        line, colour = LOOKS[index % len(LOOKS)]
        steps, values = series(histories[name], metric)
        values = clip_finite(values, 0, 1 if is_accuracy else 2 * top)
        scale = 1.0 if by_step else 1 / max(int(steps.max(initial=1)), 1)
        if metric.startswith("train/"):
            steps, values = envelope(steps, moving_average(values, len(values) // 60), 400)
        height = error_position(values) if is_accuracy else values
        curves += axes.plot(steps * scale, height, color=colour, linestyle=line, linewidth=1.6)
        if len(values) <= 30:
            curves[-1].set(marker="o", markersize=3.5)
        valid = np.isfinite(height)
        if nan_step is not None and valid.any():
            at = float(np.interp(nan_step, steps[valid], height[valid]))
            axes.plot(nan_step * scale, at, "X", color=colour, markeredgecolor=style.INK, markersize=9, zorder=5)
        all_values.append(values)
        last = float(finite(values)[-1]) if valid.any() else np.nan
        last_values.append(last)
        text = style.percent(last) if is_accuracy else f"{last:.3g}"
        texts.append(f"{text}  {shortened(name, 28)}{'' if nan_step is None else '  ✕ NaN'}")
    if is_accuracy:
        label_error_axis(axes, *error_limits(np.concatenate(all_values)), "y")
    else:
        axes.set_ylim(0, top)
    order = np.argsort(-np.array(last_values) if is_accuracy else last_values, kind="stable")  # NaN comes last
    if curves:
        listed = [curves[place] for place in order], [texts[place] for place in order]
        axes.legend(*listed, loc="upper left", bbox_to_anchor=(1.01, 1.02), handlelength=2.6, **style.LEGEND)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=by_step, min_n_ticks=1))
    axes.xaxis.set_major_formatter("{x:,.0f}" if by_step else PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("step" if by_step else "share of the run's steps")
    diverged = any(nan_step is not None for nan_step in nan_steps.values())
    style.heading(axes, metric.replace("/", " "), "✕ loss became NaN" if diverged else "")
    return figure
