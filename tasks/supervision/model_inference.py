"""What a registered version predicts, computed by a trainer process."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_models.errors import InvalidInput
from mnist_models.trainer_pool.errors import TrainingFailed
from mnist_models.training_run.job import PredictJob
from tasks.flow_run.context import FlowRunContext
from tasks.supervision.failures import first_line
from tasks.supervision.weights import downloaded_weights

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


def predict_images(context: FlowRunContext, version: "ModelVersion", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probabilities float32 [n, classes] that a version gives for uint8 [n, height, width].

    Raise InvalidInput if the version's model is missing, damaged, too large or carries code, or takes other images.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        weights = downloaded_weights(context.tracker, version, folder)
        np.save(folder / "images.npy", images, allow_pickle=False)
        job = PredictJob(weights, folder / "images.npy", folder / "probabilities.npy")
        try:
            with context.backend.slot() as slot:
                slot.run(job)
        except (InvalidInput, TrainingFailed) as error:
            reason = first_line(error).rstrip(".")
            raise InvalidInput(f"{version.name}: version {version.version} cannot be used: {reason}.") from error
        return np.load(folder / "probabilities.npy", allow_pickle=False)  # type: ignore[no-any-return]
