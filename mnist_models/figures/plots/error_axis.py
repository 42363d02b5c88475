"""Axis limits and scales on which good and bad classifiers can both be read."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from mnist_models.figures.plots import style
from mnist_models.figures.plots.series import Values, finite, series
from mnist_models.metric_names import TRAIN_LOSS, VALIDATION_LOSS
from mnist_models.training_run.metrics_log import History

BEST_ERROR = 1e-4  # the error axis ends here: 99.99 % and 100 % fall together
TICKS = (
    (0, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.99),
    (*range(0, 90, 5), *range(90, 100), *(99 + tenth / 10 for tenth in range(1, 10)), 99.95, 99.99),
    (*range(99), *(98 + tenth / 10 for tenth in range(20)), *(99.9 + hundredth / 100 for hundredth in range(10))),
)
"""Accuracies in per cent to choose an axis's ticks from, coarse to fine."""


def accuracy_floor(*accuracies: Values) -> float:
    """Return the round lower limit of an accuracy axis that shows the last four fifths of each series [m]."""
    late = [valid[len(valid) // 5 :] for valid in map(finite, accuracies)]
    lowest = min((float(np.percentile(values, 2)) for values in late if len(values)), default=0.0)
    return max(floor for floor in (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99) if floor <= max(lowest, 0.0))


def loss_limit(history: History) -> float:
    """Return the round upper limit of a loss axis with all of validation and the last four fifths of training."""
    train, validation = (finite(series(history, name)[1]) for name in (TRAIN_LOSS, VALIDATION_LOSS))
    highest = float(validation.max(initial=0.0))
    if len(train):
        highest = max(highest, float(np.percentile(train[len(train) // 5 :], 98)))
        # An untrained network guesses; a loss far above its own is divergence, whose height says nothing.
        highest = min(highest, max(2.0, 2 * float(train[0])))
    if highest <= 0:
        return 2.0
    power = 10.0 ** np.floor(np.log10(highest))
    return float(next(power * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15) if power * step >= 1.05 * highest))


def error_position(accuracy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the positions of accuracies, 0 to 1, on an axis on which each tenfold fall of the error takes equal room.

    Computed here instead of with a logarithmic axis, whose labels need Matplotlib's slow formula layout.
    """
    return -np.log10(np.clip(1 - np.asarray(accuracy, np.float64), BEST_ERROR, 1))


def error_limits(accuracies: npt.ArrayLike) -> tuple[float, float]:
    """Return limits, as axis positions, that hold all finite `accuracies` with some room around them."""
    positions = finite(error_position(accuracies).ravel())
    if not len(positions):
        return 0.0, 2.0
    low, high = float(positions.min()), float(positions.max())
    room = 0.17 if high - low < 0.3 else max(0.06 * (high - low), 0.04)
    return low - room, high + room


def label_error_axis(axes: Axes, low: float, high: float, direction: Literal["x", "y"]) -> None:
    """Set the limits of the x or y axis to the positions `low` and `high`, and label it with accuracies."""
    distance = (0.1 if direction == "x" else 0.06) * (high - low)  # labels are wider than high
    for candidates in TICKS:
        places = {float(error_position(tick / 100)): f"{tick:g} %" for tick in candidates}
        ticks: list[float] = []
        for place in places:
            if low <= place <= high and (not ticks or place - ticks[-1] >= distance):
                ticks.append(place)
        if len(ticks) >= 4:
            break
    labels = [places[tick] for tick in ticks]
    if direction == "x":
        axes.set_xlim(low, high)
        axes.set_xticks(ticks, labels, fontsize=style.SMALL)
    else:
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, labels)
