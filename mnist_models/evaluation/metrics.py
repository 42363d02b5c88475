"""How good a classifier's probabilities are on labelled images."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.calibration import calibration

SMALLEST_PROBABILITY = 1e-7
"""Probabilities are clipped to this and to 1 minus this before the logarithm, as Keras does."""

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures of one model on one labelled set of `n` images and `k` classes.

    Attributes:
        n: number of images.
        accuracy: share of images whose most probable class is the label, 0 to 1.
        accuracy_low: lower end of the accuracy's 95 % interval (Wilson 1927).
        accuracy_high: upper end of that interval.
        log_loss: mean of -ln(probability of the label), with probabilities clipped at 1e-7;
            NaN where a label's probability is NaN.
        brier: mean squared distance between probabilities and one-hot label, 0 to 2 (Brier 1950); may be NaN.
        calibration_error: expected calibration error over 15 bins, 0 to 1 (Guo et al. 2017); may be NaN.
        per_class_accuracy: float64 [k], share of each label's images that are right; NaN for a class without images.
        confusion_matrix: int64 [k, k], number of images by label (row) and prediction (column).
    """

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    log_loss: float
    brier: float
    calibration_error: float
    per_class_accuracy: npt.NDArray[np.float64]
    confusion_matrix: npt.NDArray[np.int64]


def evaluate(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]) -> Evaluation:
    """Evaluate a classifier's output against the labels.

    Args:
        probabilities: float32 [n, k], rows sum to 1; NaN rows of a diverged model count as class 0.
        labels: int32 [n], each from 0 to k - 1.

    Raises:
        InvalidInput: there are no images, the two lengths differ, or a label is not a class.
    """
    check(probabilities, labels)
    n, k = probabilities.shape
    matrix = np.zeros((k, k), np.int64)
    np.add.at(matrix, (labels, predicted(probabilities)), 1)
    correct = int(matrix.trace())
    low, high = wilson_interval(correct, n)
    of_label = probabilities[np.arange(n), labels].astype(np.float64)
    clipped = np.clip(of_label, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    squares = np.square(probabilities, dtype=np.float64).sum(axis=1)
    images = matrix.sum(axis=1)
    return Evaluation(
        n=n,
        accuracy=correct / n,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=float(-np.log(clipped).mean()),
        brier=float((squares - 2 * of_label + 1).mean()),
        calibration_error=calibration(probabilities, labels).error,
        per_class_accuracy=np.divide(matrix.diagonal(), images, out=np.full(k, np.nan), where=images > 0),
        confusion_matrix=matrix,
    )


def predicted(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The most probable class of each row of `probabilities` [n, k], as int64 [n]; class 0 for a row of NaN."""
    classes: npt.NDArray[np.int64] = np.where(np.isnan(probabilities), -1, probabilities).argmax(axis=1)
    return classes


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of the share `correct` / `n` (Wilson 1927); (0, 1) when `n` is 0."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = correct / n, Z_95**2
    centre = share + z2 / (2 * n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # Rounding could leave the end at 0 % or 100 % a hair inside the observed share.
    low = 0.0 if correct == 0 else (centre - half) / scale
    high = 1.0 if correct == n else (centre + half) / scale
    return low, high


def check(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]) -> None:
    """Refuse probabilities [n, k] and labels [n] that do not fit together.

    Raises:
        InvalidInput: see `evaluate`.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise InvalidInput(
            f"probabilities must have one row per label, not shape {probabilities.shape} for {len(labels)} labels."
        )
    if not len(labels):
        raise InvalidInput("labels must hold at least one image's label.")
    k = probabilities.shape[1]
    if labels.min() < 0 or labels.max() >= k:
        raise InvalidInput(f"labels must be from 0 to {k - 1}, not {labels.min()} to {labels.max()}.")
