"""Which class a model predicts: part of what identifies a training, as the best checkpoint is chosen by it."""

import numpy as np
import numpy.typing as npt


def predicted(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return the most probable class of each row of `probabilities` [n, k], as int64 [n]; class 0 for a NaN row."""
    classes: npt.NDArray[np.int64] = np.where(np.isnan(probabilities), -1, probabilities).argmax(axis=1)
    return classes
