"""Where a flow run trains, and what a command makes ready for it while Prefect starts; imports no Prefect."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mnist_models.data.loader import PreparedData
from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.machine import machine
from mnist_models.trainer_pool.pool import TrainerPool
from tasks.config.settings import Settings
from tasks.progress.display import Display


def new_backend(settings: Settings, cancellation: Cancellation) -> Backend:
    """Choose where to train: so far always on this machine."""
    return TrainerPool(machine(), settings.state / "logs", cancellation)


@dataclass(frozen=True)
class EarlyStart:
    """Where to train; on what, and what shows it, if that is known."""

    backend: Backend
    cancellation: Cancellation
    data: PreparedData | None = None
    display: Display | None = None


_started: list[EarlyStart] = []


@contextmanager
def early_start(started: EarlyStart) -> Iterator[None]:
    """Let the flow run that is begun inside use what is ready; the backend is closed in any case."""
    _started.append(started)
    try:
        yield
    finally:
        _started.clear()
        started.backend.close()


def started_early() -> EarlyStart | None:
    """Return what the command has made ready, if it has."""
    return _started[0] if _started else None
