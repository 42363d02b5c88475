"""One training, from a job to a finished run directory; resumes where an interrupted one stopped."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf

from mnist_models import metric_names as names
from mnist_models.atomic import atomic_path, write_atomically
from mnist_models.data.arrays import load_arrays
from mnist_models.recipe import Recipe
from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer.checkpoint import Checkpoint, Progress, Weights
from mnist_models.trainer.divergence import DivergenceDetector
from mnist_models.trainer.inference import accuracy, logits_of, probabilities_of, save_model
from mnist_models.trainer.losses import LOSSES
from mnist_models.trainer.setup import Setup, resume, set_up
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.metrics_log import MetricsLog
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult
from mnist_models.training_run.schedules import validation_steps

STRETCH_SECONDS = 1.0  # how often progress is written
CHECKPOINT_SECONDS = 10.0  # how much work a kill may cost, where saving takes no more than a hundredth of the time
SAVING_SHARE = 0.1  # of the time, at most, for checkpoints after validations


def train(job: TrainJob, recipe: Recipe) -> TrainingResult:
    """Train the recipe as the job says, score the kept weights, and write the run directory."""
    setup = set_up(recipe, load_arrays(job.data), job.seed, job.precision)
    directory = RunDirectory(job.directory)
    start = RunDirectory(job.continues).checkpoint_file if job.continues is not None else None
    with closing(MetricsLog(directory.metrics_file)) as log:
        run = _Run(setup, directory, log, start)
        run.to_end()
    return _finish(setup, directory, run.progress, run.best)


class _Run:
    """The steps of one training, with their validations and checkpoints."""

    def __init__(self, setup: Setup, directory: RunDirectory, log: MetricsLog, start: Path | None) -> None:
        self.setup, self.directory, self.log = setup, directory, log
        self.progress, self.best = resume(setup, directory.checkpoint_file, start)
        self._detector = DivergenceDetector(setup.model, self.progress)
        self._logits = logits_of(setup.model)
        self._validation_steps = validation_steps(setup.recipe, setup.steps)

    def to_end(self) -> None:
        """Train to the last step, or to the first NaN unless the recipe is declared to diverge."""
        saved_at, saving = time.monotonic(), 0.0
        for start, stop in self._stretches():
            self._train(start, stop)
            ends = self._stops or self.progress.step == self.setup.steps
            validates = ends or self.progress.step in self._validation_steps
            if validates:
                self._validate()
            began = time.monotonic()
            interval = saving / SAVING_SHARE if validates else max(CHECKPOINT_SECONDS, 100 * saving)
            if ends or began - saved_at > interval:
                self._save()
                saved_at = time.monotonic()
                saving = saved_at - began

    @property
    def _stops(self) -> bool:
        return self.progress.diverged and not self.setup.recipe.diverges

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of steps that take about a second each and end at every validation."""
        size, step = 1, self.progress.step
        while step < self.setup.steps and not self._stops:
            stop = min(step + size, next(end for end in self._validation_steps if end > step))
            began = time.monotonic()
            yield step, stop
            # The first stretches include the compilation, so that the size grows carefully.
            pace = (time.monotonic() - began) / (stop - step)
            size = max(1, min(size * 8, int(STRETCH_SECONDS / pace)))
            step = stop

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.progress.train_seconds += time.monotonic() - began

    def _train(self, start: int, stop: int) -> None:
        with self._timed():
            began = time.monotonic()
            stretch = self.setup.run(start, stop)
            self.progress.step = start + stretch.steps
            steps = np.arange(1, stretch.steps + 1)
            times = time.time() - (time.monotonic() - began) * (1 - steps / stretch.steps)  # evenly spaced
            columns = {"step": start + steps, "time": np.rint(times * 1000).astype(np.int64)} | stretch.metrics
            rows = zip(*(values.tolist() for values in columns.values()), strict=True)
            self.log.append(dict(zip(columns, row, strict=True)) for row in rows)
            self._detector.check_stretch(stretch, start)

    def _validate(self) -> None:
        setup, progress = self.setup, self.progress
        images, labels = setup.validation
        with self._timed():
            logits = self._logits(images)
            self._detector.check_outputs(logits)
            score = accuracy(logits, labels)
            targets = tf.one_hot(labels, setup.data.classes)
            loss = float(LOSSES[setup.recipe.loss](targets, tf.constant(logits))[1])
            if score > progress.best_accuracy and np.isfinite(loss):
                progress.best_accuracy, progress.best_step = score, progress.step
                if setup.recipe.keep == "best":
                    self.best = setup.model.get_weights()
            record = {
                "step": progress.step,
                "time": round(time.time() * 1000),
                names.VALIDATION_LOSS: loss,
                names.VALIDATION_ACCURACY: score,
                names.TRAINER_MEMORY: psutil.Process().memory_info().rss / 2**20,
                names.IMAGES_PER_SECOND: progress.step * setup.recipe.batch_size / progress.train_seconds,
            }
            self.log.append([record])

    def _save(self) -> None:
        if self.progress.diverged:
            good_file = _last_good_file(self.directory, self.progress)
            if not good_file.exists():
                save_model(self.setup.served(self._detector.good), good_file)
        self.log.flush()
        model, optimizer = map(checkpoints.values, (self.setup.model.variables, self.setup.optimizer.variables))
        checkpoints.save(Checkpoint(self.progress, model, optimizer, self.best), self.directory.checkpoint_file)


def _finish(setup: Setup, directory: RunDirectory, progress: Progress, best: Weights) -> TrainingResult:
    """Score the kept weights once on the test set, and write predictions, model and result."""
    diverged = progress.diverged
    keeps_best = bool(best) and not diverged
    served = setup.served(best if keeps_best else setup.model.get_weights())
    predictor = probabilities_of(served)
    validation_images, validation_labels = setup.validation
    test, validation = predictor(setup.data.x_test), predictor(validation_images)
    with atomic_path(directory.predictions_file) as temporary:
        np.savez(temporary, test=test, validation=validation, validation_indices=setup.validation_indices)
    if diverged:  # the scores are those of the NaN, but the model is worth keeping with good weights only
        write_atomically(directory.model_file, _last_good_file(directory, progress).read_bytes())
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
            kept_step=progress.good_step if diverged else progress.best_step if keeps_best else progress.step,
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


def _last_good_file(directory: RunDirectory, progress: Progress) -> Path:
    return directory.path / "kept" / f"last-good-step-{progress.good_step}.keras"
