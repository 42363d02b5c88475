"""When work that can wait is done: while a core is free, or else a little of it now and then."""

import time
from collections.abc import Callable
from threading import Lock

from mnist_models.trainer_pool.pool import TrainerPool

BUSY_SHARE = 0.01  # of one core's time, while trainings use all cores
WAIT_SECONDS = 0.1


class Leisure:
    """Turns for work that can wait, of which trainings must not be slowed by more than a small share.

    A low priority given by the operating system would not do: a thread that holds the interpreter's lock, or
    the store's, and gets no processor time keeps everyone waiting who needs that lock.
    """

    def __init__(self, pool: TrainerPool) -> None:
        self._pool = pool
        self._next = 0.0
        self._lock = Lock()

    def offer(self, work: Callable[[], bool]) -> bool:
        """Do a piece of work if its time has come; False once `work` says that nothing was left to do."""
        with self._lock:
            if not self._due():
                return True
            began = time.thread_time()
            try:
                return work()
            finally:
                self._next = time.monotonic() + (time.thread_time() - began) / BUSY_SHARE

    def finish(self, work: Callable[[], bool]) -> None:
        """Do all of it, however long it has to wait.

        Raises:
            PoolClosed: the flow run is being ended.
        """
        while self.offer(work):
            self._pool.check_open()
            if not self._due():
                time.sleep(WAIT_SECONDS)

    def _due(self) -> bool:
        return not self._pool.busy or time.monotonic() >= self._next
