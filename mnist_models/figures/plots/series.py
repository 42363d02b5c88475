"""The recorded values of a training run, and what figures need to know about them."""

import numpy as np
import numpy.typing as npt

from mnist_models.training_run.metrics_log import History

Values = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


def series(history: History, name: str) -> tuple[Steps, Values]:
    """The steps and values of `name`, both empty if `history` has none."""
    steps, values = history.get(name, ((), ()))
    return np.asarray(steps, np.int64), np.asarray(values, np.float64)


def finite(values: Values) -> Values:
    """The `values` without NaN and infinities."""
    return values[np.isfinite(values)]


def limited(values: Values, low: float, high: float) -> Values:
    """The `values` moved to `low` and `high` where they lie beyond, and NaN where they are not finite.

    A loss of 1e30 would take all precision from the sums of `smoothed` and from the renderer's coordinates.
    """
    return np.where(np.isfinite(values), np.clip(values, low, high), np.nan)


def first_nan(history: History) -> int | None:
    """The first step at which a loss was not a finite number, or None."""
    first = []
    for name in ("train/loss", "validation/loss"):
        steps, values = series(history, name)
        first += steps[~np.isfinite(values)][:1].tolist()
    return min(first, default=None)


def smoothed(values: Values, window: int) -> Values:
    """The mean of the finite values up to `window` before and after each, [m]; NaN where a value is not finite."""
    valid = np.isfinite(values)
    counts = np.concatenate(([0], np.cumsum(valid)))
    sums = np.concatenate(([0.0], np.cumsum(np.where(valid, values, 0.0))))
    positions = np.arange(len(values))
    start, end = np.maximum(positions - window, 0), np.minimum(positions + window + 1, len(values))
    mean = (sums[end] - sums[start]) / np.maximum(counts[end] - counts[start], 1)
    return np.where(valid, mean, np.nan)


def envelope(steps: Steps, values: Values, bins: int) -> tuple[Steps, Values]:
    """At most 2 × `bins` points that look like all of them: the least and the greatest value of each bin."""
    if len(values) <= 2 * bins:
        return steps, values
    starts = np.linspace(0, len(values), bins, endpoint=False).astype(np.int64)
    extremes = np.stack([np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)], axis=1)
    return np.repeat(steps[starts], 2), extremes.ravel()
