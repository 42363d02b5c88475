"""The backend of this machine: trainer processes, each with one job at a time.

They are started with `subprocess` and speak JSON lines, rather than through a `multiprocessing` pool: a
spawned child imports the parent's `__main__` again, and under a Prefect worker that is Prefect itself.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mnist_models.errors import InvalidInput
from mnist_models.processes.worker import WorkerProcess
from mnist_models.trainer_pool.backend import no_progress
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.errors import TrainerDied, TrainingFailed
from mnist_models.trainer_pool.machine import Machine
from mnist_models.training_run.job import Job, to_line


class Trainer(WorkerProcess):
    """One trainer process. A training that is in it when it is stopped can be resumed from its last checkpoint."""

    module, title = "mnist_models.trainer", "trainer"
    died, failed = TrainerDied, TrainingFailed


class TrainerPool(AbstractContextManager["TrainerPool"]):
    """As many trainers as the machine has room for; a `Backend`."""

    def __init__(self, machine: Machine, logs: Path, cancellation: Cancellation | None = None) -> None:
        self.cancellation = cancellation or Cancellation()
        self.slots = machine.workers
        self._machine, self._logs = machine, logs
        self._trainers: list[Trainer | None] = [None] * machine.workers
        self._starting = threading.Lock()  # so that no process is started while all are being ended
        self._idle = list(reversed(range(machine.workers)))  # the last is taken first
        self._waiting: list[tuple[float, int]] = []  # the least is served first
        self._tickets = itertools.count()
        self._turn = threading.Condition()

    def start(self, count: int) -> None:
        """Start up to `count` trainers now, ahead of their first jobs."""
        for number in range(min(count, self.slots)):
            self._trainer(number)

    @property
    def busy(self) -> bool:
        """Whether all trainers are at work."""
        return not self._idle

    def _trainer(self, number: int) -> Trainer:
        with self._starting:
            self.cancellation.check()
            trainer = self._trainers[number]
            if trainer is None or not trainer.alive:
                self._discard(number)
                log = self._logs / f"trainer-{number}.log"
                trainer = self._trainers[number] = Trainer(self._machine.environment(number), log)
            return trainer

    @contextmanager
    def slot(self, priority: float = 0.0) -> Iterator["TrainerSlot"]:
        """See `Backend.slot`."""
        ticket = (-priority, next(self._tickets))
        with self._turn:
            self._waiting.append(ticket)
            try:
                self._turn.wait_for(lambda: self._idle and min(self._waiting) == ticket)
                number = self._idle.pop()
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()  # there may be another idle trainer for the next
        try:
            self._trainer(number)
            yield TrainerSlot(self, number)
        finally:
            if self._machine.device == "gpu":
                self._discard(number)  # only the end of the process gives GPU memory back
            with self._turn:
                self._idle.append(number)
                self._turn.notify_all()

    def _discard(self, number: int) -> None:
        trainer, self._trainers[number] = self._trainers[number], None
        if trainer is not None:
            trainer.stop()

    def close(self) -> None:
        """End all processes; whoever waits for one gets TrainingCancelled."""
        with self._starting:
            self.cancellation.cancel()
        for number in range(self.slots):
            self._discard(number)

    def __exit__(self, *_: object) -> None:
        self.close()


class TrainerSlot:
    """A trainer that is held; a `Slot`."""

    def __init__(self, pool: TrainerPool, number: int) -> None:
        self._pool, self._number = pool, number

    def run(self, job: Job, on_progress: Callable[[], None] = no_progress) -> None:
        """See `Slot.run`."""
        pool, number = self._pool, self._number
        try:
            pool._trainer(number).do(to_line(job), on_progress)
        except BaseException as error:
            # After an exception in the parent (a cancellation) the process is still at its job.
            if not isinstance(error, TrainingFailed | InvalidInput):
                pool._discard(number)
            pool.cancellation.check()
            raise
