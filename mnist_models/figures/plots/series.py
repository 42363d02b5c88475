"""The recorded values of a training, prepared for curves."""

import numpy as np
import numpy.typing as npt

from mnist_models.metric_names import TRAIN_LOSS, VALIDATION_LOSS
from mnist_models.training_run.metrics_log import History

Values = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


def series(history: History, name: str) -> tuple[Steps, Values]:
    """Return steps [m] and values [m] of the metric `name`, both empty if `history` has none."""
    steps, values = history.get(name, ((), ()))
    return np.asarray(steps, np.int64), np.asarray(values, np.float64)


def finite(values: Values) -> Values:
    """Return `values` without NaN and infinities."""
    return values[np.isfinite(values)]


def clip_finite(values: Values, low: float, high: float) -> Values:
    """Return `values` clipped to `low` and `high`, with NaN where they are not finite.

    A loss of 1e30 would leave no precision to the sums in `moving_average` and to the renderer's coordinates.
    """
    return np.where(np.isfinite(values), np.clip(values, low, high), np.nan)


def first_nan(history: History) -> int | None:
    """Return the first step whose loss was not finite, or None."""
    losses = [series(history, name) for name in (TRAIN_LOSS, VALIDATION_LOSS)]
    return min((int(step) for steps, values in losses for step in steps[~np.isfinite(values)][:1]), default=None)


def moving_average(values: Values, window: int) -> Values:
    """Return a moving average [m] over `window` values before and after each; NaN where a value is not finite."""
    valid = np.isfinite(values)
    counts = np.concatenate(([0], np.cumsum(valid)))
    sums = np.concatenate(([0.0], np.cumsum(np.where(valid, values, 0.0))))
    positions = np.arange(len(values))
    start, end = np.maximum(positions - window, 0), np.minimum(positions + window + 1, len(values))
    mean = (sums[end] - sums[start]) / np.maximum(counts[end] - counts[start], 1)
    return np.where(valid, mean, np.nan)


def envelope(steps: Steps, values: Values, bins: int) -> tuple[Steps, Values]:
    """Return at most 2 × `bins` points that look like all of them: the least and the greatest value of each bin."""
    if len(values) <= 2 * bins:
        return steps, values
    starts = np.linspace(0, len(values), bins, endpoint=False).astype(np.int64)
    extremes = np.stack([np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)], axis=1)
    return np.repeat(steps[starts], 2), extremes.ravel()
