"""How good a classifier's probabilities are on labelled images."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from mnist_models import metric_names as names
from mnist_models.errors import InvalidInput
from mnist_models.evaluation.calibration import calibration
from mnist_models.evaluation.predicted_class import predicted

SMALLEST_PROBABILITY = 1e-7  # they are clipped to this and to 1 minus this before the logarithm, as Keras does
Z_95 = 1.959963984540054  # the 97.5 % quantile of the standard normal distribution

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of one model on a test set: the value of each metric by its name; some may be NaN."""

    metrics: dict[str, float]

    @property
    def accuracy(self) -> float:
        """The share of images whose most probable class is the label, 0 to 1."""
        return self.metrics[names.TEST_ACCURACY]

    @property
    def accuracy_low(self) -> float:
        """The lower end of the accuracy's 95 % interval."""
        return self.metrics[names.TEST_ACCURACY_LOW]

    @property
    def accuracy_high(self) -> float:
        """The upper end of the accuracy's 95 % interval."""
        return self.metrics[names.TEST_ACCURACY_HIGH]


def evaluate(probabilities: Probabilities, labels: Labels) -> Evaluation:
    """Return how good probabilities float32 [n, k] are for labels int32 [n], each from 0 to k - 1.

    Rows of probabilities sum to 1; NaN rows of a diverged model count as class 0. Raise InvalidInput if there are no
    images, the two lengths differ, or a label is not a class.
    """
    _check(probabilities, labels)
    return Evaluation(dict(_metrics(probabilities, labels)))


def _metrics(probabilities: Probabilities, labels: Labels) -> Iterator[tuple[str, float]]:
    """Yield name and value of each metric of the test set; a new metric is one more `yield`."""
    n = len(labels)
    correct = int((predicted(probabilities) == labels).sum())
    low, high = wilson_interval(correct, n)
    yield names.TEST_ACCURACY, correct / n
    yield names.TEST_ACCURACY_LOW, low
    yield names.TEST_ACCURACY_HIGH, high
    yield names.TEST_MISTAKES, n - correct
    yield names.TEST_LOSS, log_loss(probabilities, labels)
    yield names.TEST_BRIER, brier(probabilities, labels)
    yield names.TEST_CALIBRATION_ERROR, calibration(probabilities, labels).error


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean of -ln(probability of the label), from float32 [n, k] and int32 [n]; NaN if such one is NaN."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)).mean())


def brier(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean squared distance of probabilities float32 [n, k] and one-hot labels int32 [n]; may be NaN."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    squares = np.square(probabilities, dtype=np.float64).sum(axis=1)
    return float((squares - 2 * of_label + 1).mean())


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.int64]:
    """Return the number of images by label (row) and prediction (column), int64 [k, k]; arguments as for `evaluate`."""
    k = probabilities.shape[1]
    return np.bincount(labels * k + predicted(probabilities), minlength=k * k).reshape(k, k)


def mistake_indices(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.int64]:
    """Return the indices of wrongly classified images, int64 [m]: the most confident first, NaN last.

    Equally confident mistakes stay in the order of the images. Raise InvalidInput as `evaluate` does.
    """
    _check(probabilities, labels)
    prediction = predicted(probabilities)
    wrong = np.flatnonzero(prediction != labels)
    return wrong[np.argsort(-probabilities[wrong, prediction[wrong]], kind="stable")]


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of the share `correct` / `n` (Wilson 1927); (0, 1) when `n` is 0."""
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


def _check(probabilities: Probabilities, labels: Labels) -> None:
    shape, n = probabilities.shape, len(labels)
    if len(shape) != 2 or shape[0] != n:
        raise InvalidInput(f"probabilities must have one row per label, not shape {shape} for {n} labels.")
    if not n:
        raise InvalidInput("labels must hold at least one image's label.")
    if labels.min() < 0 or labels.max() >= shape[1]:
        raise InvalidInput(f"labels must be from 0 to {shape[1] - 1}, not {labels.min()} to {labels.max()}.")
