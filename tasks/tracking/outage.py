"""When MLflow is away: what counts as that, and what becomes of the flow run then."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from mnist_models.errors import Unavailable

# What SQLAlchemy and MLflow say of a store that no waiting mends.
_PERMANENT = (
    *("no such table", "no such column", "attempt to write a readonly database"),
    *("file is not a database", "database disk image is malformed", "out-of-date database schema"),
)
PERMISSION_TRIES, PERMISSION_PAUSE = 12, 0.5  # seconds

R = TypeVar("R")

# What databases say to one of two who have added the same thing, such as a tag, at the same moment.
_RACES = ("UniqueViolation", "UNIQUE constraint failed", "Duplicate entry")
_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED")


class NotSent(Unavailable):
    """MLflow has not taken everything; what is missing can be sent later."""


def is_mlflow_error(error: object) -> bool:
    """Whether MLflow has refused or could not be reached: its server, its store, or the server's artifacts."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import OperationalError

    return isinstance(error, MlflowException | RequestException | OperationalError | sqlite3.OperationalError)


def is_outage(error: object) -> bool:
    """Whether it may well succeed a little later: no answer, a fault of the server, a locked store, a lost race."""
    from mlflow.exceptions import MlflowException

    if any(text in str(error) for text in _PERMANENT):
        return False
    if isinstance(error, MlflowException):
        lost_a_race = any(text in str(error) for text in _RACES)
        return lost_a_race or error.error_code in _PASSING
    response = getattr(error, "response", None)  # of a refused upload
    return is_mlflow_error(error) and (response is None or response.status_code >= 500)


def once_permitted(call: Callable[[], R]) -> R:
    """Return what a call returns; while it is not permitted, try again for some seconds.

    A server that asks for passwords gives whoever creates something the right to it a moment after it is there.
    """
    from mlflow.exceptions import MlflowException

    for _ in range(PERMISSION_TRIES):
        try:
            return call()
        except MlflowException as error:
            if error.error_code != "PERMISSION_DENIED":
                raise
            time.sleep(PERMISSION_PAUSE)
    return call()
