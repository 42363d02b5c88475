"""What is logged while a training runs: as much as servers take meanwhile. What they miss is logged after it."""

from concurrent.futures import Future
from typing import Any

from tasks.flow_run.child_run import ChildRun
from tasks.flow_run.context import FlowRunContext
from tasks.progress.artifact import ProgressArtifact
from tasks.progress.snapshot import Snapshot


class LiveLogging:
    """Brings one training into MLflow, and its progress into Prefect; a `Source` of the background writer."""

    def __init__(self, context: FlowRunContext, run: ChildRun, name: str) -> None:
        self._context, self._run = context, run
        self._artifact = ProgressArtifact(name)
        self._snapshot: Snapshot | None = None
        self._shown: Future[Any] = context.prefect.submit(str)  # the artifact's latest update

    def show(self, snapshot: Snapshot) -> None:
        """Note where the training stands; returns at once."""
        self._snapshot = snapshot

    def write_portion(self) -> bool:
        """Write what has come since; return False if no records are left."""
        if (snapshot := self._snapshot) and self._shown.done():
            self._shown = self._context.prefect.submit(self._artifact.update, snapshot.share, str(snapshot))
        self._run.ensure_open()
        self._run.log_system(self._context.system_metrics)
        return self._run.replay()

    def end(self, text: str) -> None:
        """Note that the training has ended, as `text` says; returns at once."""
        self._context.writer.unfollow(self)
        self._context.prefect.submit(self._artifact.update, 1.0, text, last=True)

    def __enter__(self) -> "LiveLogging":
        self._context.writer.follow(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._context.writer.unfollow(self)
