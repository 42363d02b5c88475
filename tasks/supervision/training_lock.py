"""One flow run at a time at the same training, until MLflow has all of it."""

from contextlib import suppress

from filelock import FileLock, Timeout

from tasks.flow_run.context import FlowRunContext


def hold_training(context: FlowRunContext, folder: str, name: str) -> None:
    """Keep other flow runs from a training; wait while one is at it, unless this flow run is given up meanwhile.

    The lock is held beyond the task that trains: two flow runs that log the same training would both log its model.
    """
    if folder in context.training_locks:  # an earlier try has it
        return
    lock = FileLock(context.settings.runs / f"{folder}.lock", thread_local=False)  # another task lets it go
    try:
        lock.acquire(blocking=False)
    except Timeout:
        context.display.say(f"{name}: another flow run is at it; waiting for its result")
        while not lock.is_locked:
            context.cancellation.check()
            with suppress(Timeout):
                lock.acquire(timeout=0.5)
    context.training_locks[folder] = lock


def release_training(context: FlowRunContext, folder: str) -> None:
    """Let other flow runs have it."""
    lock = context.training_locks.pop(folder, None)
    if lock is not None:
        lock.release()
