"""When a training's numbers overflow."""

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_models.trainer.checkpoint import Progress, Weights
from mnist_models.trainer.loop import Stretch


class DivergenceDetector:
    """Writes the first NaN into the progress, and keeps the last good weights: those that have given a finite loss."""

    def __init__(self, model: keras.Model, progress: Progress) -> None:
        self._model, self._progress = model, progress
        self.good: Weights = model.get_weights()
        self._latest = self.good

    def check_stretch(self, stretch: Stretch, start: int) -> None:
        """Check the steps from `start` on and the weights after them, unless a NaN is known already."""
        if self._progress.diverged:
            return
        if stretch.bad_step != 0:
            self.good, self._progress.good_step = self._latest, start
        self._latest = self._model.get_weights()
        if stretch.bad_step >= 0:
            self._note(start + stretch.bad_step + 1, stretch.bad_variables.tolist())
        elif not all(np.isfinite(array).all() for array in self._latest):
            variables = self._model.trainable_variables
            self._note(self._progress.step, [not np.isfinite(variable.numpy()).all() for variable in variables])

    def check_outputs(self, logits: NDArray[np.float32]) -> None:
        """Check what the network gives: weights can be finite and yet too large to compute with."""
        if not self._progress.diverged and not np.isfinite(logits).all():
            self._note(self._progress.step, [])

    def _note(self, step: int, bad: list[bool]) -> None:
        names = [variable.path for variable in self._model.trainable_variables]
        self._progress.first_nan_step = step
        self._progress.nan_variables = [name for name, is_bad in zip(names, bad, strict=False) if is_bad]
