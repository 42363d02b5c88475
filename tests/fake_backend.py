"""A second backend: it trains nothing, and leaves in each run directory what a training leaves."""

import threading
import time
from contextlib import contextmanager

import numpy as np

from mnist_models.atomic import atomic_path, write_atomically
from mnist_models.data.arrays import load_arrays
from mnist_models.data.split import stratified_split
from mnist_models.trainer_pool.backend import no_progress
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.metrics_log import MetricsLog
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult

STEPS = 10


class FakeBackend:
    """Runs jobs in the thread that asks; `before` is called with each recipe's name and may raise."""

    def __init__(self, slots=2, before=lambda _name: None):
        self.slots, self.cancellation = slots, Cancellation()
        self.trained, self.closed, self._before = [], False, before
        self._free, self._taken = threading.Semaphore(slots), 0

    def start(self, count):
        pass

    @property
    def busy(self):
        return self._taken >= self.slots

    @contextmanager
    def slot(self, priority=0.0):
        del priority  # the schedule submits in order, and that is what is looked at
        while not self._free.acquire(timeout=0.05):
            self.cancellation.check()
        self._taken += 1
        try:
            yield self
        finally:
            self._taken -= 1
            self._free.release()

    def run(self, job, on_progress=no_progress):
        assert isinstance(job, TrainJob)
        self.cancellation.check()
        directory = RunDirectory(job.directory)
        recipe = directory.recipe()
        self.trained.append(recipe.name)
        self._before(recipe.name)
        log = MetricsLog(directory.metrics_file)
        for step in range(1, STEPS + 1):
            record = {"step": step, "time": round(time.time() * 1000), "train/loss": 1 / step, "train/accuracy": 0.5}
            if step == STEPS:
                record |= {"validation/loss": 0.1, "validation/accuracy": 0.9}
            log.append([record])
            on_progress()
        log.close()
        self._finish(directory, job, recipe)

    def _finish(self, directory, job, recipe):
        data = load_arrays(job.data)
        held_out = stratified_split(data.y_train, recipe.validation_fraction, job.seed)[1]
        right = np.eye(data.classes, dtype=np.float32)
        with atomic_path(directory.predictions_file) as temporary:
            np.savez(
                temporary,
                test=right[data.y_test],
                validation=right[data.y_train[held_out]],
                validation_indices=held_out,
            )
        write_atomically(directory.model_file, "a model")
        write_atomically(directory.checkpoint_file, "a checkpoint")
        directory.finish(
            TrainingResult(
                status="finished",
                parameters=1,
                steps=STEPS,
                train_seconds=0.1,
                images_per_second=100.0,
                kept_step=STEPS,
                validation_accuracy=1.0,
                test_accuracy=1.0,
                finished_at=time.time(),
            )
        )

    def close(self):
        self.closed = True
        self.cancellation.cancel()
