"""One command at a time at the same training."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.flow_run.context import Session


@contextmanager
def only_one(session: Session, lock_file: Path, name: str) -> Iterator[None]:
    """Wait while another command is at the same training, unless this one is given up meanwhile."""
    lock = FileLock(lock_file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        session.display.say(f"{name}: another command is training it; waiting for its result")
        while not lock.is_locked:
            session.pool.check_open()
            with suppress(Timeout):
                lock.acquire(timeout=0.5)
    try:
        yield
    finally:
        lock.release()
