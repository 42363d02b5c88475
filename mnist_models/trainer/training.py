"""One training, from a job to a finished run directory; resumes where an interrupted one stopped."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import psutil
import tensorflow as tf
from numpy.typing import NDArray

from mnist_models import metric_names as names
from mnist_models.atomic import atomic_path, write_atomically
from mnist_models.data.arrays import load_arrays
from mnist_models.data.split import stratified_split
from mnist_models.evaluation.metrics import predicted
from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer.batch_order import DataOrder
from mnist_models.trainer.checkpoint import Checkpoint, Progress, Weights
from mnist_models.trainer.divergence import Health
from mnist_models.trainer.inference import logits_of, probabilities_of, save_model, served_model
from mnist_models.trainer.loop import Loop, Stretch
from mnist_models.trainer.losses import LOSSES
from mnist_models.trainer.model_file import refuse_code
from mnist_models.trainer.optimizers import build_optimizer
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.metrics_log import MetricsLog
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult

if TYPE_CHECKING:
    from mnist_models.recipe import Recipe

logger = logging.getLogger(__name__)

STRETCH_SECONDS = 1.0  # how often progress is written
CHECKPOINT_SECONDS = 10.0  # how much work a kill may cost, where saving takes no more than a hundredth of that

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def train(job: TrainJob) -> TrainingResult:
    """Train, evaluate and save what the job asks for."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(job.seed)
    keras.config.set_dtype_policy(POLICIES[job.precision])
    training = _Training(job)
    with closing(training.log):
        training.run()
        return training.finish()


class _Training:
    """The state of one training while it runs."""

    def __init__(self, job: TrainJob) -> None:
        self.job = job
        self.directory = RunDirectory(job.directory)
        self.recipe: Recipe = self.directory.recipe()
        self.data = load_arrays(job.data)
        self.train_indices, self.validation_indices = stratified_split(
            self.data.y_train, self.recipe.validation_fraction, job.seed
        )
        self.steps = self.recipe.total_steps(len(self.train_indices))
        self.model = self.recipe.network(self.data.image_shape, self.data.classes)
        refuse_code(self.model, self.recipe.name)
        self.optimizer = build_optimizer(self.recipe.optimizer, self.steps, job.precision)
        self.optimizer.build(self.model.trainable_variables)
        images, labels = self.data.x_train[self.train_indices], self.data.y_train[self.train_indices]
        self.loop = Loop(self.model, self.optimizer, self.recipe, images, labels, job.seed)
        stream = 1 if self.recipe.continues else 0
        self.order = DataOrder(len(labels), self.recipe.batch_size, job.seed, stream)
        self.validation_images = self.data.x_train[self.validation_indices]
        self.validation_labels = self.data.y_train[self.validation_indices]
        self.logits = logits_of(self.model)
        self.best: Weights = []
        self.progress = self._restore()
        self.health = Health(self.model, self.progress)
        self.log = MetricsLog(self.directory.metrics_file)

    def _restore(self) -> Progress:
        """Continue an interrupted training, or start from another recipe's end, or start anew."""
        saved, damaged = checkpoints.load_latest(self.directory.checkpoint_file, self._fits)
        for what in damaged:
            logger.warning("%s: %s; an earlier state is used", self.recipe.name, what)
        if saved is not None:
            saved.progress.resumed_at.append(saved.progress.step)
            saved.progress.damaged += damaged
            self.best = saved.best
        elif self.job.continues is not None:
            saved = checkpoints.load(RunDirectory(self.job.continues).checkpoint_file)
            saved.progress = Progress(damaged=damaged)
        else:
            return Progress(damaged=damaged)
        checkpoints.assign(self.model.variables, saved.model)
        checkpoints.assign(self.optimizer.variables, saved.optimizer)
        if self.recipe.optimizer.schedule == "constant":  # among the variables; another recipe's may differ
            self.optimizer.learning_rate = self.recipe.optimizer.learning_rate
        return saved.progress

    def _fits(self, saved: Checkpoint) -> bool:
        alike = checkpoints.alike
        return alike(self.model.variables, saved.model) and alike(self.optimizer.variables, saved.optimizer)

    def run(self) -> None:
        """Train to the end, or to the first NaN where that is not what the recipe is to show."""
        saved_at, saving = time.monotonic(), 0.0
        for start, stop in self._stretches():
            began = time.monotonic()
            stretch = self.loop.run(self.order.batches(start, stop), start)
            self.progress.step = start + len(stretch.losses)
            self._record(stretch, start, time.monotonic() - began)
            if self.health.sound:
                self.health.check_stretch(stretch, start)
            self.progress.train_seconds += time.monotonic() - began
            validates = self.progress.step in self._validation_steps() or self._stopped()
            if validates:
                began = time.monotonic()
                self._validate()
                self.progress.train_seconds += time.monotonic() - began
            if validates or time.monotonic() - saved_at > max(CHECKPOINT_SECONDS, 100 * saving):
                began = time.monotonic()
                self._save()
                saved_at = time.monotonic()
                saving = saved_at - began
            if self._stopped():
                return

    def _stopped(self) -> bool:
        return not self.health.sound and not self.recipe.diverges

    def _validation_steps(self) -> set[int]:
        count = min(self.recipe.validations, self.steps)
        return {round(self.steps * number / count) for number in range(1, count + 1)}

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """Ranges of steps that take about a second each and end at every validation."""
        ends = sorted(self._validation_steps())
        size = 1
        step = self.progress.step
        while step < self.steps and not self._stopped():
            stop = min(step + size, next(end for end in ends if end > step))
            began = time.monotonic()
            yield step, stop
            # The first stretches include the compilation, so that the size grows carefully.
            pace = (time.monotonic() - began) / (stop - step)
            size = max(1, min(size * 8, int(STRETCH_SECONDS / pace)))
            step = stop

    def _record(self, stretch: Stretch, start: int, seconds: float) -> None:
        now = time.time()
        count = len(stretch.losses)
        self.log.append(
            {
                "step": start + number + 1,
                "time": round((now - seconds * (count - 1 - number) / count) * 1000),
                names.TRAIN_LOSS: float(loss),
                names.TRAIN_ACCURACY: float(accuracy),
            }
            for number, (loss, accuracy) in enumerate(zip(stretch.losses, stretch.accuracies, strict=True))
        )

    def _last_good_file(self) -> Path:
        return self.directory.path / "kept" / f"last-good-step-{self.progress.good_step}.keras"

    def _served(self, weights: Weights) -> keras.Model:
        return served_model(self.recipe, self.data.image_shape, self.data.classes, weights)

    def _validate(self) -> None:
        logits = self.logits(self.validation_images)
        if self.health.sound:
            self.health.check_outputs(logits)
        accuracy = _accuracy(logits, self.validation_labels)
        targets = tf.one_hot(self.validation_labels, self.data.classes)
        loss = float(LOSSES[self.recipe.loss](targets, tf.constant(logits))[1])
        if accuracy > self.progress.best_accuracy and np.isfinite(loss):
            self.progress.best_accuracy, self.progress.best_step = accuracy, self.progress.step
            if self.recipe.keep == "best":
                self.best = self.model.get_weights()
        images = self.progress.step * self.recipe.batch_size
        record = {
            "step": self.progress.step,
            "time": round(time.time() * 1000),
            names.VALIDATION_LOSS: loss,
            names.VALIDATION_ACCURACY: accuracy,
            names.TRAINER_MEMORY: psutil.Process().memory_info().rss / 2**20,
        }
        if self.progress.train_seconds:
            record[names.IMAGES_PER_SECOND] = images / self.progress.train_seconds
        self.log.append([record])

    def _save(self) -> None:
        if not self.health.sound and not self._last_good_file().exists():
            save_model(self._served(self.health.good), self._last_good_file())
        self.log.flush()
        state = Checkpoint(
            self.progress,
            checkpoints.values(self.model.variables),
            checkpoints.values(self.optimizer.variables),
            self.best,
        )
        checkpoints.save(state, self.directory.checkpoint_file)

    def finish(self) -> TrainingResult:
        """Score the kept weights once on the test set, and write all that a finished training leaves."""
        progress, data, directory = self.progress, self.data, self.directory
        diverged = not self.health.sound
        keeps_best = self.recipe.keep == "best" and bool(self.best) and not diverged
        kept_step = progress.good_step if diverged else progress.best_step if keeps_best else progress.step
        served = self._served(self.best if keeps_best else self.model.get_weights())
        predictor = probabilities_of(served)
        test, validation = predictor(data.x_test), predictor(self.validation_images)
        with atomic_path(directory.predictions_file) as temporary:
            np.savez(temporary, test=test, validation=validation, validation_indices=self.validation_indices)
        if diverged:  # the scores tell what became of it, but only sound weights are worth keeping as a model
            write_atomically(directory.model_file, self._last_good_file().read_bytes())
        else:
            save_model(served, directory.model_file)
        self.log.flush()
        with suppress(FileNotFoundError):
            checkpoints.previous(directory.checkpoint_file).unlink()
        return directory.finish(
            TrainingResult(
                status="diverged" if diverged else "finished",
                parameters=int(sum(np.prod(variable.shape) for variable in self.model.trainable_variables)),
                steps=progress.step,
                train_seconds=progress.train_seconds,
                images_per_second=progress.step * self.recipe.batch_size / progress.train_seconds,
                kept_step=kept_step,
                validation_accuracy=_accuracy(validation, self.validation_labels),
                test_accuracy=_accuracy(test, data.y_test),
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


def _accuracy(scores: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """The share of images whose label has the greatest score."""
    return float(np.mean(predicted(scores) == labels))
