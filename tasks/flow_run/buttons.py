"""Prefect's buttons Suspend and Cancel, for a flow run that Prefect itself would let go on.

Suspend: the trainings end at their checkpoints; Resume starts the flow run again, which goes on there. Prefect would
wait for the tasks that run. Cancel: a run of a deployment is ended by the process that serves it; that of a command or
a program, which nobody serves, ends itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.context import FlowRunContext as PrefectContext

from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.errors import TrainingCancelled
from tasks.flow_run.errors import RunCancelled
from tasks.servers.prefect_server import is_temporary

LOOK_SECONDS = 0.5
ASK_SECONDS = 3.0


@contextmanager
def ended_from_the_dashboard(backend: Backend, cancellation: Cancellation) -> Iterator[None]:
    """Give up what is trained in the block when one of the buttons is pressed; the block then raises RunCancelled.

    In a temporary server nobody can press them.
    """
    prefect = PrefectContext.get()
    if prefect is None or is_temporary():
        yield
        return
    over, given_up = threading.Event(), threading.Event()

    def watch(pressed: Callable[[], bool], seconds: float) -> None:
        while not over.wait(seconds):
            if pressed():
                given_up.set()
                cancellation.cancel()
                backend.close()
                return

    with get_client(sync_client=True) as client:
        if runtime.deployment.id is None:
            run_id = UUID(str(runtime.flow_run.id))
            arguments: tuple[Callable[[], bool], float] = (lambda: _is_cancelling(client, run_id), ASK_SECONDS)
        else:
            arguments = (prefect.flow_run_suspension_request.is_requested, LOOK_SECONDS)
        thread = threading.Thread(target=watch, args=arguments, name="buttons", daemon=True)
        thread.start()
        try:
            yield
        except TrainingCancelled as error:
            if given_up.is_set():
                raise RunCancelled(str(error)) from None
            raise
        finally:
            over.set()
            thread.join()


def _is_cancelling(client: SyncPrefectClient, run_id: UUID) -> bool:
    with suppress(Exception):  # a server that restarts
        state = client.read_flow_run(run_id).state
        return state is not None and state.is_cancelling()
    return False
