"""Tasks that log, and wait for MLflow while it is away."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task

from tasks.config.settings import load_settings
from tasks.tracking.given_up import cancelled_when_given_up
from tasks.tracking.outage import is_outage

PAUSE_SECONDS = 3.0
MANY = 10_000  # tries; time decides

P = ParamSpec("P")
R = TypeVar("R")


def patient_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A Prefect task that is tried again while MLflow is away."""
    patient = task(
        name=name,
        task_run_name=name,
        persist_result=False,
        retries=MANY,
        retry_delay_seconds=PAUSE_SECONDS,
        retry_condition_fn=worth_waiting,
    )
    return lambda work: patient(cancelled_when_given_up(work))


def worth_waiting(_task: Any, run: Any, state: Any) -> bool:
    """Whether it is an outage, for as long as `patience` in the settings allows."""
    error = state.result(raise_on_failure=False)
    began = run.start_time or run.expected_start_time
    waited = (datetime.now(UTC) - began).total_seconds() if began else 0.0
    return is_outage(error) and waited < load_settings().patience
