"""A thread beside the one that supervises a training, for what may have to wait for a server."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType

from mnist_models.trainer_pool.pool import PoolClosed


class Aside:
    """So a server that stalls keeps nobody from seeing that a training has ended. At its end it waits for its work."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._latest: Future[None] | None = None

    def offer(self, work: Callable[[], None]) -> None:
        """Have it done now, in the caller's Prefect context, unless the work before is still in progress."""
        if self._latest is None or self._latest.done():
            self.add(work)

    def add(self, work: Callable[[], None]) -> None:
        """Have it done after the work before. It must not raise, because nobody would hear of it."""
        self._latest = self._executor.submit(copy_context().run, work)

    def __enter__(self) -> "Aside":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        given_up = isinstance(error, PoolClosed)
        self._executor.shutdown(wait=not given_up, cancel_futures=given_up)
