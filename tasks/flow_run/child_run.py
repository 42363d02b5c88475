"""The MLflow run of one training of this flow run, opened as soon as the store can be reached."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_models.data.dataset import Dataset
from mnist_models.training_run.plan import Training
from tasks.flow_run.parent_run import ParentRun
from tasks.tracking.run_replay import RunReplay
from tasks.tracking.source_tags import data_tags, source_tags
from tasks.tracking.system_metrics import SystemMetrics

SYSTEM_SECONDS = 10.0  # between two records of the machine's load


class ChildRun(RunReplay):
    """A training needs no MLflow: its run is opened when the store can first be reached, and only once.

    All methods are called in the writer's thread.
    """

    def __init__(
        self,
        parent: ParentRun,
        training: Training,
        dataset: Dataset,
        directory: Path,
        name: str,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(parent.tracker, directory)
        self._parent, self._training, self._dataset, self._name = parent, training, dataset, name
        self._tags = {
            "recipe": training.recipe.name,
            "seed": str(training.seed),
            "identity": training.identity,
            **data_tags(dataset),
            "mlflow.note.content": f"{training.recipe.summary}.",
            **source_tags(),
            **tags,
        }
        self._tried = False  # to open it; its request may have been taken although no answer came
        self._next_sample = 0.0
        self.open_now = self._ready = False  # opened by this flow run, and not ended yet; and described

    @property
    def parameters(self) -> dict[str, Any]:
        """What the training was told."""
        conditions = {name: getattr(self._training.conditions, name) for name in ("device", "threads", "precision")}
        return self._training.recipe.parameters() | conditions | {"seed": self._training.seed}

    def ensure_open(self) -> None:
        """Open and describe it, unless that is done."""
        if self._ready or (self._tried and self.state.closed):
            return
        parent = self._parent.ensure_open()
        if self._tried and not self.run_id:
            self._find_lost(parent)
        self._tried = True
        is_new = self.open(self._name, self._tags, parent)
        self.open_now = not self.state.closed
        if self.open_now and not is_new:
            self.tracker.resume_run(self.run_id)
        if not self.state.described:
            self.tracker.log(self.run_id, parameters=self.parameters)
            self.tracker.log_dataset(self.run_id, self._dataset)
            self.note(described=True)
        self._ready = self.open_now

    def _find_lost(self, parent: str) -> None:
        """A server that answered too late may have created the run of an earlier try."""
        tags = {"identity": self._training.identity, "mlflow__parentRunId": parent}
        for run in self.tracker.find_runs(**tags):
            self.note(run_id=run.info.run_id)
            return

    def write_portion(self) -> bool:
        """Open it if need be, then log the next records; return False if there are none."""
        self.ensure_open()
        return self.replay()

    def log_system(self, metrics: SystemMetrics) -> None:
        """Record the machine's load, unless that has just been done."""
        if time.monotonic() >= self._next_sample:
            self._next_sample = time.monotonic() + SYSTEM_SECONDS
            moment = round(time.time() * 1000)
            sample = [(name, value, moment, self.state.samples) for name, value in metrics.sample().items()]
            self.tracker.log(self.run_id, sample)
            self.note(samples=self.state.samples + 1)

    def end(self, status: str, at: float | None = None) -> None:
        """Set the final status, now or as of a time in Unix seconds."""
        self.tracker.end_run(self.run_id, status, at)
        self.open_now = self._ready = False
