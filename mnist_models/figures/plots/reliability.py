"""Whether a classifier's confidence equals its accuracy."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_models.evaluation.calibration import BINS, calibration
from mnist_models.evaluation.metrics import Labels, Probabilities
from mnist_models.figures.plots import style


def reliability_diagram(probabilities: Probabilities, labels: Labels) -> Figure:
    """Return accuracy by confidence, with the gap to perfect calibration, above the number of images per bin.

    Probabilities are float32 [n, k], labels int32 [n].
    Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
    """
    bins = calibration(probabilities, labels)
    defined = np.isfinite(bins.error)
    error = f"expected calibration error {style.percent(bins.error)}" if defined else "confidences are NaN"
    figure = style.new_figure(6.0, f"Reliability: {error}")
    upper = style.new_axes(figure, 0.75, 2.0, 0.3, 0.75)
    lower = style.new_axes(figure, 0.75, 0.55, 0.3, 4.35)
    used = bins.counts > 0
    accuracy, gap = bins.accuracy[used], (bins.confidence - bins.accuracy)[used]
    edges = np.flatnonzero(used) / BINS
    bar: dict[str, Any] = {"width": 1 / BINS, "align": "edge"}
    upper.bar(edges, accuracy, color="#a6cfea", edgecolor="white", label="accuracy", **bar)
    hatched: dict[str, Any] = {"facecolor": "none", "edgecolor": style.ORANGE, "hatch": "///", "linewidth": 0.8}
    upper.bar(edges, gap, bottom=accuracy, label="gap to confidence", **bar, **hatched)
    upper.plot([0, 1], [0, 1], color=style.INK, linestyle=style.DASHED, linewidth=1.2, label="perfect")
    lower.bar(edges, bins.counts[used], color=style.MUTED, edgecolor="white", **bar)
    upper.set(xlim=(0, 1), ylim=(0, 1))
    lower.set(xlim=(0, 1), ylim=(0.7, max(10, 2 * int(bins.counts.max()))), yscale="log", xlabel="confidence")
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.minorticks_off()
    for axis in (upper.yaxis, upper.xaxis, lower.xaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    upper.tick_params(labelbottom=False)
    style.heading(upper, "accuracy")
    style.heading(lower, "images", "logarithmic")
    if used.any():
        style.legend(figure, upper)
    else:
        style.note(upper, "no finite confidences")
    return figure
