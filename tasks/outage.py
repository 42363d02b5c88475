"""When MLflow is away: what counts as that, how long it is waited for, and what becomes of the flow run then."""

from datetime import UTC, datetime
from typing import Any

from mnist_models.errors import Unavailable
from tasks.settings import load_settings

PAUSE_SECONDS = 3.0
MANY = 10_000  # tries; time decides

_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED")


class NotSent(Unavailable):
    """MLflow has not taken everything; what is missing can be sent later."""


def is_mlflows(error: object) -> bool:
    """Whether MLflow has refused or could not be reached: its server, its store, or the server's artifacts."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import OperationalError

    return isinstance(error, MlflowException | RequestException | OperationalError)


def is_outage(error: object) -> bool:
    """Whether it may well succeed a little later: no answer, an error within the server, a locked store."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    response = getattr(error, "response", None)  # of a refused upload
    return is_mlflows(error) and (response is None or response.status_code >= 500)


def worth_waiting(_task: Any, run: Any, state: Any) -> bool:
    """The retry condition of tasks that log: an outage, for as long as `patience` in the settings allows."""
    error = state.result(raise_on_failure=False)
    began = run.start_time or run.expected_start_time
    waited = (datetime.now(UTC) - began).total_seconds() if began else 0.0
    return is_outage(error) and waited < load_settings().patience
