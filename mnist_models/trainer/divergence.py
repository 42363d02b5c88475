"""Whether a training's numbers are still numbers."""

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_models.trainer.checkpoint import Progress, Weights
from mnist_models.trainer.loop import Stretch


class Health:
    """Notes the first NaN in the training's progress, and keeps the last weights that were good.

    Weights count as good once they have given a finite loss.
    """

    def __init__(self, model: keras.Model, progress: Progress) -> None:
        self._model, self._progress = model, progress
        self.good: Weights = model.get_weights()
        self._latest = self.good

    @property
    def sound(self) -> bool:
        """Whether no NaN has been seen."""
        return self._progress.first_nan_step is None

    def check_stretch(self, stretch: Stretch, start: int) -> None:
        """Look at the steps from `start` on and at the weights that they have led to."""
        if stretch.bad_step != 0:
            self.good, self._progress.good_step = self._latest, start
        self._latest = self._model.get_weights()
        if stretch.bad_step >= 0:
            self._note(start + stretch.bad_step + 1, stretch.bad_variables.tolist())
        elif not all(np.isfinite(array).all() for array in self._latest):
            variables = self._model.trainable_variables
            self._note(self._progress.step, [not np.isfinite(variable.numpy()).all() for variable in variables])

    def check_outputs(self, logits: NDArray[np.float32]) -> None:
        """Look at what the network gives: weights can be finite and yet too large to compute with."""
        if not np.isfinite(logits).all():
            self._note(self._progress.step, [])

    def _note(self, step: int, bad: list[bool]) -> None:
        names = [variable.path for variable in self._model.trainable_variables]
        self._progress.first_nan_step = step
        self._progress.nan_variables = [name for name, is_bad in zip(names, bad, strict=False) if is_bad]
