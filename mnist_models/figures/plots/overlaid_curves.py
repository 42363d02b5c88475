"""One metric of several trainings in one figure."""

from collections.abc import Mapping
from itertools import cycle
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from mnist_models.figures.plots import style
from mnist_models.figures.plots.error_axis import error_limits, error_position, label_error_axis, loss_limit
from mnist_models.figures.plots.series import clip_finite, envelope, finite, first_nan, moving_average, series
from mnist_models.metric_names import VALIDATION_ACCURACY
from mnist_models.training_run.metrics_log import History

LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))


def overlaid_curves(
    histories: Mapping[str, History],
    metric: str = VALIDATION_ACCURACY,
    *,
    x: Literal["step", "share"] = "step",
) -> Figure:
    """Return one curve per run, listed in the order of their last values; a cross marks where a loss became NaN.

    On the accuracy axis each tenfold fall of the error rate takes equal room, see `error_position`.

    Args:
        histories: recorded values by the run's name, see `History`.
        metric: name of the values to draw; training values are smoothed.
        x: training step, or share of the run's own steps where the runs' lengths differ much.
    """
    figure = style.new_figure(max(4.6, 1.3 + 0.21 * len(histories)), f"{len(histories)} runs")
    axes = style.new_axes(figure, 0.7, 0.55, 3.2, 0.75)
    is_accuracy = metric.endswith("accuracy")
    top = max((loss_limit(history) for history in histories.values() if first_nan(history) is None), default=2.0)
    styles = cycle([(colour, line) for line in LINES for colour in style.SERIES])
    all_values = [np.zeros(0)]
    entries: list[tuple[float, str, Line2D]] = []
    for (name, history), (colour, line) in zip(histories.items(), styles, strict=False):
        steps, values = series(history, metric)
        values = clip_finite(values, 0, 1 if is_accuracy else 2 * top)
        nan_step = first_nan(history)
        scale = 1.0 if x == "step" else 1 / max(int(steps.max(initial=1)), 1)
        if metric.startswith("train/"):
            steps, values = envelope(steps, moving_average(values, len(values) // 60), 400)
        height = error_position(values) if is_accuracy else values
        (curve,) = axes.plot(steps * scale, height, color=colour, linestyle=line, linewidth=1.6)
        if len(values) <= 30:
            curve.set(marker="o", markersize=3.5)
        valid = np.isfinite(height)
        if nan_step is not None and valid.any():
            at = float(np.interp(nan_step, steps[valid], height[valid]))
            axes.plot(nan_step * scale, at, "X", color=colour, markeredgecolor=style.INK, markersize=9, zorder=5)
        all_values.append(values)
        last = float(finite(values)[-1]) if valid.any() else np.nan
        text = style.percent(last) if is_accuracy else f"{last:.3g}"
        cross = "" if nan_step is None else "  ✕ NaN"
        entries.append((last, f"{text}  {style.shorten(name, 28)}{cross}", curve))
    if is_accuracy:
        label_error_axis(axes, *error_limits(np.concatenate(all_values)), "y")
    else:
        axes.set_ylim(0, top)
    _name_runs(axes, entries, best=1 if is_accuracy else -1)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=x == "step", min_n_ticks=1))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}") if x == "step" else PercentFormatter(1, symbol=" %"))
    style.label_axes(axes, "step" if x == "step" else "share of the run's steps")
    style.heading(
        axes, metric.replace("/", " "), "✕ loss became NaN" if any("✕" in text for _, text, _ in entries) else ""
    )
    return figure


def _name_runs(axes: Axes, entries: list[tuple[float, str, Line2D]], best: int) -> None:
    """List the runs at the right, from the best last value (the greatest if `best` is 1, the least if -1)."""
    ordered = sorted(entries, key=lambda entry: -best * np.nan_to_num(entry[0], nan=-best * np.inf))
    if not ordered:
        return
    axes.legend(
        [curve for _, _, curve in ordered],
        [text for _, text, _ in ordered],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        fontsize=style.SMALL,
        frameon=False,
        labelcolor=style.INK,
        handlelength=2.6,
    )
