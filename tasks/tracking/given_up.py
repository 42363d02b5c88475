"""Tasks whose work was given up are Cancelled in Prefect, as their flow run is: they have not failed."""

import logging
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect.states import Cancelled

from mnist_models.trainer_pool.errors import TrainingCancelled

P = ParamSpec("P")
R = TypeVar("R")


def cancelled_when_given_up(work: Callable[P, R]) -> Callable[P, R]:
    """Return the function of a task that ends as Cancelled when what it does is given up.

    In the main thread the exception goes on, because there it is what ends the flow.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        _calm_log()
        try:
            return work(*args, **kwargs)
        except TrainingCancelled as error:
            if threading.current_thread() is threading.main_thread():
                raise
            return Cancelled(message=f"{str(error).capitalize()}.")  # type: ignore[return-value]

    return run


def _calm_log() -> None:
    """Let Prefect's log tell of a Cancelled task as information, where it tells of all but Completed as errors."""
    log = logging.getLogger("prefect.task_runs")
    if _demote not in log.filters:
        log.addFilter(_demote)


def _demote(record: logging.LogRecord) -> bool:
    if record.levelno == logging.ERROR and str(record.msg).startswith("Finished in state Cancelled"):
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True
