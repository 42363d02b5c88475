"""The one thread of a flow run that writes to MLflow, so that a server that stalls holds up no training."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Protocol, TypeVar

from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.errors import TrainingCancelled

logger = logging.getLogger(__name__)

BUSY_SHARE = 0.01  # of one core's time, for portions while trainings use all cores
LOOK_SECONDS = 0.25  # between two looks for new records
PAUSE_SECONDS = 5.0  # after a failure
STALL_SECONDS = 5.0  # after Ctrl-C
TICK_SECONDS = 0.1  # between two looks whether a slot is free

T = TypeVar("T")


class Source(Protocol):
    """Something that is written portion by portion. It is called in the writer's thread only."""

    def write_portion(self) -> bool:
        """Write the next portion; return False if there was none."""


class BackgroundWriter:
    """Does what it is called for at once, and in between writes portions of the sources that it follows.

    Trainings must not be slowed by more than a small share: while they use all cores, the writer pauses after each
    portion. A low priority given by the operating system would not do: a thread that holds the interpreter's lock
    and gets no processor time keeps everyone waiting who needs that lock.
    """

    def __init__(self, backend: Backend, cancellation: Cancellation) -> None:
        self._backend, self._cancellation = backend, cancellation
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._sources: dict[Source, Future[None] | None] = {}  # with a future where somebody waits for the rest
        self._changed = threading.Condition()
        self._stopping = False
        self._failing = False
        self._not_before = self._not_before_if_busy = 0.0
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._work,), name="background writer", daemon=True
        )  # in the flow run's context, so that Prefect's log holds what it says
        self._thread.start()

    def follow(self, source: Source) -> None:
        """Write portions of a source from now on; a failure is logged, and tried again later."""
        with self._changed:
            self._sources[source] = None
            self._not_before = min(self._not_before, time.monotonic() + LOOK_SECONDS)
            self._changed.notify()

    def unfollow(self, source: Source) -> None:
        """Write no further portion."""
        with self._changed:
            self._sources.pop(source, None)

    def flush(self, source: Source) -> None:
        """Write all that is left of a source, and wait for it; raise what a portion raises, or TrainingCancelled."""
        written: Future[None] = Future()
        with self._changed:
            self._sources[source] = written
            self._not_before = 0.0
            self._changed.notify()
        self._wait(written)

    def post(self, work: Callable[[], T]) -> "Future[T]":
        """Do something in the writer's thread, before any further portion."""
        done: Future[T] = Future()
        with self._changed:
            self._calls.append((work, done))
            self._changed.notify()
        return done

    def call(self, work: Callable[[], T]) -> T:
        """Do something in the writer's thread, wait for it, and return or raise what it does, or TrainingCancelled."""
        return self._wait(self.post(work))

    def stop(self) -> bool:
        """End the thread, after all that was posted; return whether it has ended.

        If the flow run was cancelled, a server that stalls is not waited for any longer.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(STALL_SECONDS if self._cancellation.cancelled else None)
        return not self._thread.is_alive()

    def _wait(self, done: "Future[T]") -> T:
        while True:
            self._cancellation.check()
            try:
                return done.result(TICK_SECONDS if self._thread.is_alive() else 0)
            except TimeoutError:
                if done.done():  # meanwhile, or it has itself raised a TimeoutError
                    return done.result()
                if not self._thread.is_alive():
                    raise TrainingCancelled("nothing is written any more") from None

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while True:
                if self._stopping and (self._cancellation.cancelled or not self._calls):
                    return None
                if self._calls:
                    work, done = self._calls.popleft()
                    return lambda: _do(work, done)
                if self._sources and self._is_time():
                    return self._write_portions
                self._changed.wait(TICK_SECONDS if self._sources else None)

    def _is_time(self) -> bool:
        now = time.monotonic()
        return now >= self._not_before and (now >= self._not_before_if_busy or not self._backend.busy)

    def _write_portions(self) -> None:
        """Write one portion of each source."""
        with self._changed:
            sources = list(self._sources.items())
        began, more, failure = time.thread_time(), False, None
        for source, written in sources:
            if self._cancellation.cancelled:  # a server that stalls takes its time for each
                return
            try:
                left = source.write_portion()
            except Exception as error:
                failure = error
                if written is not None:
                    self.unfollow(source)
                    written.set_exception(error)
                continue
            more |= left
            if written is not None and not left:
                self.unfollow(source)
                written.set_result(None)
        now, taken = time.monotonic(), time.thread_time() - began
        self._not_before_if_busy = now + taken / BUSY_SHARE
        self._not_before = now + (0.0 if more else PAUSE_SECONDS if failure else LOOK_SECONDS)
        self._tell(failure)

    def _tell(self, failure: Exception | None) -> None:
        if failure and not self._failing:
            logger.warning("MLflow takes no records for now, which costs none: %s", failure)
        elif self._failing and not failure:
            logger.info("MLflow takes records again")
        self._failing = failure is not None


def _do(work: Callable[[], Any], done: "Future[Any]") -> None:
    try:
        result = work()
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(result)
