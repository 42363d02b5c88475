"""The MLflow run of a training of this flow run, opened as soon as the store can be reached."""

from pathlib import Path
from threading import RLock

from mnist_models.data.dataset import Dataset
from mnist_models.training_run.plan import Training
from tasks.flow_run.context import Session, code_tags
from tasks.tracking.run_replay import TrackedRun


class TrainingRun(TrackedRun):
    """A training needs no MLflow: its run is opened by whichever thread reaches the store first, and only once."""

    def __init__(
        self,
        session: Session,
        training: Training,
        dataset: Dataset,
        directory: Path,
        name: str,
        flow_tags: dict[str, str],
    ) -> None:
        super().__init__(session.tracker, directory)
        self._session, self._training, self._dataset = session, training, dataset
        self._name, self._flow_tags = name, flow_tags
        self._opening = RLock()
        self._tried = False
        self.opened = False

    def ensure_open(self) -> None:
        """Open and describe it, unless that is done.

        Raises:
            PoolClosed: the flow run is being ended.
        """
        with self._opening:
            if self.opened:
                return
            self._session.pool.check_open()
            recipe, training, dataset = self._training.recipe, self._training, self._dataset
            tags = {
                "recipe": recipe.name,
                "seed": str(training.seed),
                "identity": training.identity,
                "data": dataset.name,
                "data_digest": dataset.digest,
                "mlflow.note.content": f"{recipe.summary}.",
                **code_tags(),
                **self._flow_tags,
            }
            parent = self._session.parent_run_id
            if self._tried and "run_id" not in self.notes:
                self._find_lost(parent)
            self._tried = True
            new = self.open(self._name, tags, parent)
            if "closed" not in self.notes:
                self._session.open_runs.add(self.run_id)
                if not new:
                    self.tracker.resume_run(self.run_id)
            if "described" not in self.notes:
                settings = {name: getattr(training, name) for name in ("device", "threads", "precision", "seed")}
                self.tracker.log(self.run_id, parameters=recipe.parameters() | settings)
                self.tracker.log_dataset(self.run_id, dataset)
                self.note(described=True)
            self.opened = True

    def _find_lost(self, parent: str) -> None:
        """A server that answered too late may have created the run of an earlier try."""
        tags = {"identity": self._training.identity, "mlflow__parentRunId": parent}
        for run in self.tracker.find_runs(**tags):
            self.note(run_id=run.info.run_id)
            return

    def replay(self) -> bool:
        """Open it if need be, then log the next records; False if there are none."""
        with self._opening:
            self.ensure_open()
            return super().replay()
