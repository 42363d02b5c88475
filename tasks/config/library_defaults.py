"""Defaults for the libraries that we start, set before they are imported; what the user has set stays."""

import os
import sys
from pathlib import Path

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Our tasks and flows persist no results, and nothing else may do it as pickle, which is code to whoever reads it.
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # On a busy machine the temporary server needs more than the 20 s that it is given.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks,mnist_models",
    # A flow run that has sent no sign of life for longer is dead (flows/deploy/automations.py).
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # We wait for a server that is away, at the end of a training and for as long as the settings say (tracking/retry),
    # instead of the HTTP client. It gives up a request that stalls after 10 s, twice: the end of an interrupted
    # command may wait that long. Trainings never do, and uploads that move do not stall.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


# What our records rely on, whatever the user has set: that a call which has returned has been recorded, that long
# texts are cut instead of refused, and that models are registered where runs are logged.
FIXED = {"MLFLOW_ENABLE_ASYNC_LOGGING": "false", "MLFLOW_TRUNCATE_LONG_VALUES": "true"}


# Where Prefect would keep results, of which we persist none: a server that does not know that place fails every flow.
DROPPED = ("PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK", "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK")


def set_defaults(**more: str) -> None:
    """Set what is not set, and what must be so."""
    os.environ |= FIXED
    for name in DROPPED:
        os.environ.pop(name, None)
    for name, value in (DEFAULTS | more).items():
        os.environ.setdefault(name, value)


def program(name: str) -> str:
    """The path of a program that is installed beside this Python."""
    return str(Path(sys.executable).with_name(name))
