"""What is logged while a training runs: as much as servers take meanwhile. What they miss is logged after it."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from mnist_models.trainer_pool.pool import PoolClosed
from tasks.flow_run.aside import Aside
from tasks.flow_run.context import Session
from tasks.flow_run.progress import ProgressArtifact, Snapshot
from tasks.supervision.child_run import TrainingRun

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0  # after a failure


class Logging:
    """Brings one training into MLflow, and its progress into Prefect, in a thread of its own."""

    def __init__(self, session: Session, run: TrainingRun, name: str) -> None:
        self._session, self._run, self._name = session, run, name
        self._artifact = ProgressArtifact(name)
        self._aside = Aside()
        self._monitored = ExitStack()
        self._monitors = False
        self._not_before: dict[str, float] = {}

    def offer(self, snapshot: Snapshot | None) -> None:
        """Log what there is, unless that is still being done; returns at once."""
        self._aside.offer(lambda: self._log(snapshot))

    def end(self, text: str) -> None:
        """The training has ended, as `text` says."""
        self._aside.add(lambda: self._try("Prefect", lambda: self._artifact.update(1.0, text, last=True), last=True))

    def _log(self, snapshot: Snapshot | None) -> None:
        self._try("MLflow", self._log_portion)
        if snapshot is not None:
            self._try("Prefect", lambda: self._artifact.update(snapshot.share, str(snapshot)))

    def _log_portion(self) -> None:
        self._run.ensure_open()
        if not self._monitors:
            self._monitored.enter_context(self._session.tracker.system_metrics(self._run.run_id))
            self._monitors = True
        self._session.leisure.offer(self._run.replay)

    def _try(self, server: str, work: Callable[[], None], last: bool = False) -> None:
        if not last and time.monotonic() < self._not_before.get(server, 0.0):
            return
        try:
            work()
            if self._not_before.pop(server, None) is not None:
                logger.info("%s: %s takes its records again", self._name, server)
        except PoolClosed:
            return
        except Exception as error:
            if server not in self._not_before:
                logger.warning("%s: %s takes no records for now, which costs none: %s", self._name, server, error)
            self._not_before[server] = time.monotonic() + PAUSE_SECONDS

    def __enter__(self) -> "Logging":
        self._aside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.add(self._monitored.close)
        self._aside.__exit__(kind, error, trace)
