"""A flow that a program can call like a function: it uses this project's Prefect server, as the commands do."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Flow
from prefect.exceptions import CancelledRun
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled

from mnist_models import __version__
from mnist_models.errors import Unavailable
from tasks.config.library_defaults import set_defaults
from tasks.config.settings import load_settings
from tasks.flow_run.errors import RunCancelled
from tasks.servers.prefect_server import forget_ended_server, start_temporary_server, wait_until_ready

P = ParamSpec("P")
R = TypeVar("R")


class ProjectFlow(Flow[P, R]):
    """Prefect by itself would start a server for a call, on the records of the user instead of the project's."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow on the server that is configured, on that of `mnist up`, or else on a temporary one.

        Raise Unavailable if the flow run is cancelled from the dashboard.
        """
        with _server():
            try:
                return super().__call__(*args, **kwargs)
            except CancelledRun:
                raise Unavailable("The run was cancelled; the same request goes on where this one stopped.") from None


def project_flow(**options: Any) -> Callable[[Callable[P, R]], ProjectFlow[P, R]]:
    """Return a decorator that makes a flow; it takes what Prefect's `flow` takes."""
    return lambda function: ProjectFlow(_cancelled_when_given_up(function), version=__version__, **options)


def _cancelled_when_given_up(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function of a flow that ends as Cancelled if it was cancelled from the dashboard."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RunCancelled:
            message = "Cancelled; what was trained goes on at its last checkpoints with the next run."
            return Cancelled(message=message)  # type: ignore[return-value]

    return run


@contextmanager
def _server() -> Iterator[None]:
    if PREFECT_API_URL.value():
        yield
        return
    set_defaults()
    settings = load_settings()
    forget_ended_server()
    wait_until_ready(start_temporary_server(settings, stop_at_exit=False))
    # Prefect has read the environment already.
    variables = {PREFECT_API_URL: os.environ["PREFECT_API_URL"]}
    if password := os.environ.get("PREFECT_API_AUTH_STRING"):
        variables[PREFECT_API_AUTH_STRING] = password
    with temporary_settings(variables):
        yield
