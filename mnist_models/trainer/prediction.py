"""Predictions of a saved model."""

import numpy as np

from mnist_models.atomic import atomic_path
from mnist_models.trainer.inference import probabilities_of
from mnist_models.trainer.model_file import load_model
from mnist_models.training_run.job import PredictJob


def predict(job: PredictJob) -> None:
    """Write the model's probabilities, float32 [n, classes], for the job's images.

    Raises:
        InvalidInput: the model's file is damaged, too large or carries code.
    """
    model = load_model(job.model)
    images = np.load(job.images, allow_pickle=False)
    with atomic_path(job.probabilities) as temporary:
        np.save(temporary, probabilities_of(model)(images), allow_pickle=False)
