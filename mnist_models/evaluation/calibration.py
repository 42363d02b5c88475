"""Whether a classifier's confidence equals its accuracy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15


@dataclass(frozen=True, eq=False)
class Calibration:
    """Images grouped by confidence into 15 bins of equal width; bin i holds confidences in (i/15, (i+1)/15].

    The expected calibration error is the mean of |accuracy - confidence| weighted by images.
    """

    counts: npt.NDArray[np.int64]  # [15], images per bin; images whose confidence is NaN are in none
    confidence: npt.NDArray[np.float64]  # [15], mean confidence in the bin; NaN for an empty bin
    accuracy: npt.NDArray[np.float64]  # [15], share of correct predictions in the bin; NaN for an empty bin
    error: float  # expected calibration error, 0 to 1; NaN if any confidence is NaN


def calibration(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]) -> Calibration:
    """Return the accuracy by confidence, the row maximum of `probabilities` float32 [n, k], for `labels` int32 [n].

    Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    valid = np.isfinite(confidence)
    correct = (probabilities.argmax(axis=1) == labels)[valid]
    binned = np.clip(np.ceil(confidence[valid] * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(binned, minlength=BINS)
    confidence_sum = np.bincount(binned, weights=confidence[valid], minlength=BINS)
    correct_sum = np.bincount(binned, weights=correct, minlength=BINS)
    error = np.abs(correct_sum - confidence_sum).sum() / len(labels) if valid.all() else np.nan
    with np.errstate(invalid="ignore"):  # 0 / 0 of an empty bin is NaN
        return Calibration(counts, confidence_sum / counts, correct_sum / counts, float(error))
