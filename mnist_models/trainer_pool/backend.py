"""Where jobs run: the protocol of a backend. `pool.TrainerPool` runs them on this machine."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from mnist_models.training_run.job import Job


def no_progress() -> None:
    """Look at nothing while a job runs."""


class Slot(Protocol):
    """The right to run one job at a time, held until its block ends."""

    def run(self, job: Job, on_progress: Callable[[], None] = no_progress) -> None:
        """Run a job to its end, and call `on_progress` about four times a second meanwhile.

        A training leaves its run directory as `training_run.run_directory` says, and goes on from a checkpoint that is
        there already. What it has written so far can be read in that directory while it runs.

        Raises:
            TrainerDied: the process ended early; the job can be run again.
            TrainingFailed: the job raised an exception.
            TrainingCancelled: the work was given up meanwhile.
            InvalidInput: the job refused its input.
        """


class Backend(Protocol):
    """Runs jobs, as many at a time as it has slots. Any thread may call it."""

    @property
    def slots(self) -> int:
        """How many jobs run at a time."""

    @property
    def busy(self) -> bool:
        """Whether all slots are taken."""

    def start(self, count: int) -> None:
        """Get ready for so many jobs, ahead of the first."""

    def slot(self, priority: float = 0.0) -> AbstractContextManager[Slot]:
        """Wait for a slot and hold it; of all who wait, the highest priority is served first.

        Raise TrainingCancelled if the work was given up.
        """

    def close(self) -> None:
        """End all jobs."""
