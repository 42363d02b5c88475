"""Prefect's button Suspend: the trainings end at their checkpoints; Resume starts the flow run again, which goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.context import FlowRunContext as PrefectContext

from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.cancellation import Cancellation

LOOK_SECONDS = 0.5


@contextmanager
def ended_when_suspended(backend: Backend, cancellation: Cancellation) -> Iterator[None]:
    """Give up what is training in the block when the flow run is suspended.

    Prefect itself lets the tasks that run go on, and ends the flow at the next one.
    """
    prefect = PrefectContext.get()
    if prefect is None:  # a test
        yield
        return
    request, over = prefect.flow_run_suspension_request, threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if request.is_requested():
                cancellation.cancel()
                backend.close()
                return

    thread = threading.Thread(target=watch, name="suspension", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
