"""Axis limits and scales on which good and bad classifiers can both be read."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from mnist_models.evaluation.figures.history import History, Values, finite, series

BEST_ERROR = 1e-4
"""The error axis ends here: 99.99 % and 100 % fall together."""

ACCURACY_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999)


def accuracy_floor(*accuracies: Values) -> float:
    """The round lower limit of an accuracy axis that shows all but the first fifth of each [m]."""
    late = [valid[len(valid) // 5 :] for valid in map(finite, accuracies)]
    lowest = min((float(np.percentile(values, 2)) for values in late if len(values)), default=0.0)
    return max(floor for floor in (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99) if floor <= max(lowest, 0.0))


def loss_limit(history: History) -> float:
    """The round upper limit of a loss axis that shows validation whole and all but the first fifth of training."""
    train = finite(series(history, "train/loss")[1])
    validation = finite(series(history, "validation/loss")[1])
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
    """Where accuracies, 0 to 1, lie on an axis on which each tenfold fall of the error rate takes equal room.

    Computed here instead of with a logarithmic axis, whose labels need Matplotlib's slow formula layout.
    """
    error = 1 - np.asarray(accuracy, np.float64)
    return -np.log10(np.clip(error, BEST_ERROR, 1))


def error_limits(accuracies: npt.ArrayLike) -> tuple[float, float]:
    """Limits in axis positions that hold all finite `accuracies` with some room around them."""
    positions = finite(error_position(accuracies).ravel())
    if not len(positions):
        return 0.0, 2.0
    low, high = float(positions.min()), float(positions.max())
    room = max(0.06 * (high - low), 0.04)
    if high - low < 0.3:
        room = 0.17
    return low - room, high + room


def label_error_axis(axes: Axes, low: float, high: float, direction: str) -> None:
    """Limit the x or y axis to positions `low` to `high` and label it with accuracies."""
    ticks = [tick for tick in ACCURACY_TICKS if low <= error_position(tick) <= high]
    labels = [f"{100 * tick:g} %" for tick in ticks]
    axes.set(**{f"{direction}lim": (low, high)})
    axes.set(**{f"{direction}ticks": error_position(ticks), f"{direction}ticklabels": labels})
