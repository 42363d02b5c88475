"""Apply a saved model to images."""

import keras
import numpy as np

from mnist_models.atomic import atomic_path
from mnist_models.trainer.inference import probabilities_of
from mnist_models.trainer.job import PredictJob


def predict(job: PredictJob) -> None:
    """Write the model's probabilities, float32 [n, classes], for the job's images."""
    # safe_mode refuses a model file that carries code.
    model = keras.saving.load_model(job.model, safe_mode=True, compile=False)
    images = np.load(job.images, allow_pickle=False)
    with atomic_path(job.probabilities) as temporary:
        np.save(temporary, probabilities_of(model)(images), allow_pickle=False)
