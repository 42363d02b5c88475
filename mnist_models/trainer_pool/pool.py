"""Trainer processes, each with one job at a time.

They are started with `subprocess` and speak JSON lines, rather than through a `multiprocessing` pool: a
spawned child imports the parent's `__main__` again, and under a Prefect worker that is Prefect itself.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from mnist_models.errors import InvalidInput
from mnist_models.processes.worker import JobFailed, ProcessDied, WorkerProcess
from mnist_models.trainer_pool.machine import Machine
from mnist_models.training_run.job import Job, to_line


class TrainerDied(ProcessDied):
    """The process was killed or crashed. What it had saved is still there, so that a retry resumes."""


class PoolClosed(RuntimeError):
    """The trainings were given up: by Ctrl-C, or because the flow has failed."""


class TrainingFailed(JobFailed):
    """The job raised an exception, whose traceback is the message."""


class Trainer(WorkerProcess):
    """One trainer process. A training that is in it when it is stopped can be resumed from its last checkpoint."""

    module, title = "mnist_models.trainer", "trainer"
    died, failed = TrainerDied, TrainingFailed


class TrainerPool:
    """As many trainers as the machine has room for. `do` may be called from any number of threads."""

    def __init__(self, machine: Machine, logs: Path) -> None:
        self._machine, self._logs = machine, logs
        self._trainers: list[Trainer | None] = [None] * machine.workers
        self._closed = False
        self._lock = threading.Lock()  # so that no process is started while all are being ended
        self._idle = list(reversed(range(machine.workers)))  # the last is taken first
        self._waiting: list[tuple[float, int]] = []  # the least is served first
        self._tickets = itertools.count()
        self._turn = threading.Condition()

    def start(self, count: int) -> None:
        """Start up to `count` trainers now, ahead of their first jobs."""
        for number in range(min(count, len(self._trainers))):
            self._trainer(number)

    @property
    def busy(self) -> bool:
        """Whether all trainers are at work."""
        return not self._idle

    def check_open(self) -> None:
        """Raise PoolClosed once nothing is trained any more."""
        if self._closed:
            raise PoolClosed("the training was given up before it had begun")

    def _trainer(self, number: int) -> Trainer:
        with self._lock:
            self.check_open()
            trainer = self._trainers[number]
            if trainer is None or not trainer.alive:
                if trainer is not None:
                    trainer.stop()
                trainer = Trainer(self._machine.environment(number), self._logs / f"trainer-{number}.log")
                self._trainers[number] = trainer
            return trainer

    @contextmanager
    def slot(self, seconds: float = 0.0) -> Iterator["Slot"]:
        """Wait for a free trainer and hold it; of all who wait, who has the most `seconds` ahead is served first.

        Raises:
            PoolClosed: nothing is trained any more.
        """
        number = self._take((-seconds, next(self._tickets)))
        try:
            self._trainer(number)
            yield Slot(self, number)
        finally:
            with self._turn:
                self._idle.append(number)
                self._turn.notify_all()

    def _take(self, ticket: tuple[float, int]) -> int:
        with self._turn:
            self._waiting.append(ticket)
            try:
                self._turn.wait_for(lambda: self._idle and min(self._waiting) == ticket)
                return self._idle.pop()
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()  # there may be another idle trainer for the next

    def _do(self, number: int, job: Job, while_waiting: Callable[[], None]) -> None:
        try:
            self._trainer(number).do(to_line(job), while_waiting)
        except BaseException as error:
            # After an exception in the parent (a cancellation) the process is still at its job.
            if not isinstance(error, TrainingFailed | InvalidInput):
                self._discard(number)
            if self._closed:
                raise PoolClosed("the training was given up; it can be resumed") from None
            raise
        if self._machine.device == "gpu":
            self._discard(number)  # only the end of the process gives GPU memory back

    def _discard(self, number: int) -> None:
        trainer, self._trainers[number] = self._trainers[number], None
        if trainer is not None:
            trainer.stop()

    def close(self) -> None:
        """End all processes; whoever waits for one gets PoolClosed."""
        with self._lock:
            self._closed = True
        for number in range(len(self._trainers)):
            self._discard(number)

    def __enter__(self) -> "TrainerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Slot:
    """A trainer that is held."""

    def __init__(self, pool: TrainerPool, number: int) -> None:
        self._pool, self.number = pool, number

    def do(self, job: Job, while_waiting: Callable[[], None] = lambda: None) -> None:
        """See `WorkerProcess.do`."""
        self._pool._do(self.number, job, while_waiting)
