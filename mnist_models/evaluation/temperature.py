"""Probabilities that mean what they say: of those that say 90 %, nine in ten are right.

Source: Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
"""

import numpy as np
import numpy.typing as npt

SMALLEST = 1e-7  # probabilities are clipped to it before the logarithm
PRIOR = 1.0  # standard deviation of ln(temperature), which decides where nearly all images are right, or few
BRACKET = (np.log(0.1), np.log(10.0))

Probabilities = npt.NDArray[np.float32]


def fit_temperature(probabilities: Probabilities, labels: npt.NDArray[np.int32]) -> float:
    """Return the temperature that makes probabilities float32 [n, k] most likely for labels int32 [n].

    It is above 1 for a model that is too sure, and 1 if a probability is NaN. Fit it to images on which the model was
    not trained.
    """
    if not len(labels) or not np.isfinite(probabilities).all():
        return 1.0
    logits = np.log(np.clip(probabilities, SMALLEST, 1).astype(np.float64))
    of_label = logits[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        scaled = logits * inverse
        highest = scaled.max(axis=1)
        normaliser = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
        return float((normaliser - of_label * inverse).sum()) + (log_temperature / PRIOR) ** 2 / 2

    from scipy.optimize import minimize_scalar

    return float(np.exp(minimize_scalar(loss, bounds=BRACKET, method="bounded").x))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Return probabilities float32 [n, k] at a temperature; the order of the classes stays."""
    logits = np.log(np.clip(probabilities, SMALLEST, 1).astype(np.float64)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return result
