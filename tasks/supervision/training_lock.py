"""One command at a time at the same training."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.flow_run.context import FlowRunContext


@contextmanager
def training_lock(context: FlowRunContext, lock_file: Path, name: str) -> Iterator[None]:
    """Wait while another command is at the same training, unless this flow run is given up meanwhile."""
    lock = FileLock(lock_file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        context.display.say(f"{name}: another command is training it; waiting for its result")
        while not lock.is_locked:
            context.cancellation.check()
            with suppress(Timeout):
                lock.acquire(timeout=0.5)
    try:
        yield
    finally:
        lock.release()
