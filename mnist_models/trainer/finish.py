"""The end of a training: the kept weights are scored once on the test set, and the result is written."""

import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tensorflow as tf

from mnist_models.atomic import atomic_path, write_atomically
from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer.checkpoint import Progress, Weights
from mnist_models.trainer.inference import accuracy, probabilities_of, save_model
from mnist_models.trainer.setup import Setup
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult


def finish(setup: Setup, directory: RunDirectory, progress: Progress, best: Weights) -> TrainingResult:
    """Write predictions, model and result of a training that has done its last step."""
    diverged = progress.diverged
    keeps_best = bool(best) and not diverged
    kept_step = progress.good_step if diverged else progress.best_step if keeps_best else progress.step
    served = setup.served(best if keeps_best else setup.model.get_weights())
    predictor = probabilities_of(served)
    validation_images, validation_labels = setup.validation
    test, validation = predictor(setup.data.x_test), predictor(validation_images)
    with atomic_path(directory.predictions_file) as temporary:
        np.savez(temporary, test=test, validation=validation, validation_indices=setup.validation_indices)
    if diverged:  # the scores are those of the NaN, but the model is worth keeping with good weights only
        write_atomically(directory.model_file, last_good_file(directory, progress).read_bytes())
    else:
        save_model(served, directory.model_file)
    checkpoints.previous(directory.checkpoint_file).unlink(missing_ok=True)
    return directory.finish(
        TrainingResult(
            status="diverged" if diverged else "finished",
            parameters=int(sum(np.prod(variable.shape) for variable in setup.model.trainable_variables)),
            steps=progress.step,
            train_seconds=progress.train_seconds,
            images_per_second=progress.step * setup.recipe.batch_size / progress.train_seconds,
            kept_step=kept_step,
            validation_accuracy=accuracy(validation, validation_labels),
            test_accuracy=accuracy(test, setup.data.y_test),
            first_nan_step=progress.first_nan_step,
            # Backpropagation reaches the variable nearest to the loss first.
            nan_variable=progress.nan_variables[-1] if progress.nan_variables else None,
            nan_variables=tuple(progress.nan_variables),
            resumed_at=tuple(progress.resumed_at),
            damaged=tuple(progress.damaged),
            finished_at=time.time(),
            device="gpu" if tf.config.list_physical_devices("GPU") else "cpu",
            versions={name: version(name) for name in ("tensorflow", "keras", "numpy")},
        )
    )


def last_good_file(directory: RunDirectory, progress: Progress) -> Path:
    """Return where the model before a divergence is kept."""
    return directory.path / "kept" / f"last-good-step-{progress.good_step}.keras"
