"""Trainer slots: a global concurrency limit in Prefect, which all flow runs on this machine share.

The holder of a slot has a lease, and renews it. If the holder dies, the lease runs out, and Prefect's server gives
the slot to the next. Only a lasting server does that: one that lives as long as a single command has no slots to share.
The slots of a backend are another thing: the trainers of this very flow run.
"""

import logging
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from mnist_models.trainer_pool.errors import TrainingCancelled
from mnist_models.trainer_pool.machine import machine
from tasks.flow_run.context import FlowRunContext
from tasks.servers.prefect_server import is_temporary

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0  # Prefect's least; so long it takes at most until a dead flow run's slots are free
ASK_SECONDS = 5.0


def limit_name() -> str:
    """What the limit of this machine is called in Prefect's dashboard."""
    return f"trainers-{platform.node().split('.')[0] or 'here'}"


def size_slots(before: int | None) -> int:
    """Fit this machine's limit to what the machine has now, unless the dashboard has changed it.

    `before` is what this function has returned last, if it is known. Return what the machine has.
    """
    limit, size = _ensure_limit(), machine().workers
    if before != size and limit in (before, size):
        with get_client(sync_client=True) as client:
            client.upsert_global_concurrency_limit_by_name(limit_name(), size)
    return size


def _ensure_limit() -> int:
    """Create the limit if there is none; one that is there stays as it is. Return how large it is."""
    with get_client(sync_client=True) as client:
        with suppress(ObjectNotFound):
            return client.read_global_concurrency_limit_by_name(limit_name()).limit
        size = machine().workers
        with suppress(ObjectAlreadyExists):
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit_name(), limit=size))
        return size


@contextmanager
def trainer_lease(context: FlowRunContext, name: str) -> Iterator[None]:
    """Hold one of the machine's trainer slots; say so if it has to wait for one. To be called in a task.

    Raise TrainingCancelled if the flow run is being ended meanwhile.
    """
    held = None if is_temporary() else _wait_for_lease(context, name)
    try:
        yield
    finally:
        try:
            if held is not None:
                held.__exit__(None, None, None)
        except Exception as error:
            logger.warning("%s: its trainer slot is free only after a minute, because of: %s", name, error)


def _wait_for_lease(context: FlowRunContext, name: str) -> AbstractContextManager[None] | None:
    """A lease that has been entered; None, rather than no training, if the server cannot be asked."""
    waits = False
    try:
        _ensure_limit()
        while True:
            context.cancellation.check()
            held = concurrency(
                limit_name(),
                strict=True,
                timeout_seconds=ASK_SECONDS,
                lease_duration=LEASE_SECONDS,
                holder=ConcurrencyLeaseHolder(type="task_run", id=runtime.task_run.id),
                raise_on_lease_renewal_failure=False,  # a server that restarts does not end a training
            )
            try:
                held.__enter__()
                return held
            except TimeoutError:
                if not waits:
                    context.display.say(f"{name}: other flow runs use all trainers of this machine; waiting for one")
                waits = True
    except TrainingCancelled:
        raise
    except Exception as error:
        logger.warning("%s: trained without a trainer slot, because Prefect's server gives none: %s", name, error)
        return None
