"""Tasks whose work was given up are Cancelled in Prefect, as their flow run is: they have not failed."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect.states import Cancelled

from mnist_models.trainer_pool.errors import TrainingCancelled

P = ParamSpec("P")
R = TypeVar("R")


def cancelled_when_given_up(work: Callable[P, R]) -> Callable[P, R]:
    """Return the function of a task, which takes the context first, so that it ends as Cancelled when that gives up.

    In the main thread the exception goes on, because there it is what ends the flow.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return work(*args, **kwargs)
        except Exception as error:
            context: Any = args[0] if args else kwargs.get("context")
            # What fails when everything is being closed has not failed by itself.
            if not context.cancellation.cancelled or threading.current_thread() is threading.main_thread():
                raise
            reason = str(error) if isinstance(error, TrainingCancelled) else "the flow run was ended"
            return Cancelled(message=f"{reason[0].upper()}{reason[1:]}.")  # type: ignore[return-value]

    return run
