"""What a registered version predicts, computed by a trainer process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


Predictor = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images, uint8 [n, height, width] or [n, height, width, 3] → probabilities, float32 [n, classes]."""


def predict_images(context: FlowRunContext, version: "ModelVersion", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probabilities float32 [n, classes] that a version gives for images, as `opened_model` says."""
    with opened_model(context, version) as predict:
        return predict(images)


@contextmanager
def opened_model(context: FlowRunContext, version: "ModelVersion") -> Iterator[Predictor]:
    """Give what predicts with a registered version, and hold a trainer for it until the block ends.

    What it raises, here and when it predicts: InvalidInput if the version's model is missing, damaged, too large or
    carries code, or takes other images.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        weights = downloaded_weights(context.tracker, version, folder)
        images_file, probabilities_file = folder / "images.npy", folder / "probabilities.npy"
        job = PredictJob(weights, images_file, probabilities_file)
        with context.backend.slot() as slot:

            def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
                np.save(images_file, images, allow_pickle=False)
                try:
                    slot.run(job)
                except (InvalidInput, TrainingFailed) as error:
                    reason = first_line(error).rstrip(".")
                    raise InvalidInput(
                        f"{version.name}: version {version.version} cannot be used: {reason}."
                    ) from error
                return np.load(probabilities_file, allow_pickle=False)  # type: ignore[no-any-return]

            yield predict
