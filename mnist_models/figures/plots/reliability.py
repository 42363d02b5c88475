"""Whether a classifier's confidence equals its accuracy."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from mnist_models.evaluation.calibration import BINS, calibration
from mnist_models.figures.plots import style

PALE = "#a6cfea"


def reliability_diagram(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]) -> Figure:
    """Return accuracy by confidence, with the gap to perfect calibration, above the number of images per bin.

    Args:
        probabilities: float32 [n, k].
        labels: int32 [n].

    Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
    """
    bins = calibration(probabilities, labels)
    error = (
        f"expected calibration error {style.percent(bins.error)}" if np.isfinite(bins.error) else "confidences are NaN"
    )
    figure = style.new_figure(6.0, f"Reliability: {error}")
    upper = style.new_axes(figure, 0.75, 2.0, 0.3, 0.75)
    lower = style.new_axes(figure, 0.75, 0.55, 0.3, 4.35)
    edges = np.arange(BINS) / BINS
    width = 1 / BINS
    used = bins.counts > 0
    accuracy, confidence = bins.accuracy[used], bins.confidence[used]
    upper.bar(edges[used], accuracy, width, align="edge", color=PALE, edgecolor="white", label="accuracy")
    upper.bar(
        edges[used],
        confidence - accuracy,
        width,
        bottom=accuracy,
        align="edge",
        facecolor="none",
        edgecolor=style.ORANGE,
        hatch="///",
        linewidth=0.8,
        label="gap to confidence",
    )
    upper.plot([0, 1], [0, 1], color=style.INK, linestyle=(0, (5, 3)), linewidth=1.2, label="perfect")
    lower.bar(edges[used], bins.counts[used], width, align="edge", color=style.MUTED, edgecolor="white")
    upper.set_ylim(0, 1)
    lower.set_yscale("log")
    lower.set_ylim(0.7, max(10, 2 * int(bins.counts.max())))
    lower.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    lower.minorticks_off()
    upper.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    for axes in (upper, lower):
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    style.label_axes(lower, "confidence")
    style.heading(upper, "accuracy")
    style.heading(lower, "images", "logarithmic")
    upper.tick_params(labelbottom=False)
    if used.any():
        style.legend(figure, upper)
    else:
        style.note(upper, "no finite confidences")
    return figure
