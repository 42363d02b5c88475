"""One process at a time changes a data set."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCKS = ".locks"  # outside the sets, so that one that was never finished leaves nothing but its lock
SECONDS_BEFORE_SAYING = 1.0


@contextmanager
def locked_set(sets: Path, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a data set; what waits for another process says so."""
    (sets / LOCKS).mkdir(parents=True, exist_ok=True)
    lock = FileLock(sets / LOCKS / f"{name}.lock", mode=0o666)  # others of a team lock it, too
    try:
        lock.acquire(timeout=SECONDS_BEFORE_SAYING)
    except Timeout:
        say(f"{name} is being changed by another process; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
