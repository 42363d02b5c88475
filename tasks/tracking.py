"""MLflow's side of a flow run: one parent run, a child run for each training, replayed from its run directory.

Everything that is logged has a timestamp and a step of its own from the run directory, and MLflow keeps a
metric only once for the same name, step, time and value. So replaying twice, after whatever went wrong in
between, changes nothing.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from mnist_models.atomic import write_atomically
from mnist_models.metrics_log import Record, read_records
from tasks.environment import set_defaults
from tasks.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mnist_models.data.dataset import Dataset


class Tracker:
    """Logs to the MLflow store of the settings. All calls name their run, so that threads cannot mix them up."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # sqlite takes one writer at a time, and a busy store is better waited for here than in its time-outs.
        self._lock = Lock()

    @cached_property
    def client(self) -> "MlflowClient":
        """The client; importing MLflow takes seconds, so it is done on first use."""
        set_defaults()
        import logging

        for chatty in ("alembic", "mlflow.store.db.utils", "mlflow.system_metrics"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        from mlflow import MlflowClient, set_tracking_uri

        uri = self.settings.resolved_tracking_uri
        if uri.startswith("sqlite:///"):
            Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        set_tracking_uri(uri)  # the registry's `models:/` URIs are resolved through the global one
        return MlflowClient(uri, registry_uri=uri)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment's id; it is created when it is missing."""
        from mlflow.exceptions import MlflowException

        name = self.settings.experiment_name
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return self.client.create_experiment(name, self.settings.resolved_artifact_location)
            except MlflowException:  # another flow was faster
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def start_run(self, name: str, tags: Mapping[str, str], parent: str | None = None) -> str:
        """Create a run and give its id."""
        all_tags = dict(tags) | ({"mlflow.parentRunId": parent} if parent else {})
        with self._lock:
            run = self.client.create_run(self.experiment_id, run_name=name, tags=all_tags)
        return str(run.info.run_id)

    def run_exists(self, run_id: str) -> bool:
        """Whether the store knows the run and has not put it into the bin."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self.client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    def resume_run(self, run_id: str) -> None:
        """Say that a run goes on, whatever an interruption has made of its status."""
        with self._lock:
            self.client.update_run(run_id, "RUNNING")
            if "failure" in self.client.get_run(run_id).data.tags:
                self.client.delete_tag(run_id, "failure")

    def end_run(self, run_id: str, status: str, at: float | None = None) -> None:
        """Set the final status: FINISHED, FAILED or KILLED, now or as of a time in Unix seconds."""
        with self._lock:
            self.client.set_terminated(run_id, status, None if at is None else round(at * 1000))

    def log(
        self,
        run_id: str,
        metrics: Iterable[tuple[str, float, int, int]] = (),
        parameters: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Log in as few requests as MLflow allows. Metrics are (name, value, Unix milliseconds, step)."""
        from mlflow.entities import Metric, Param, RunTag

        values = [Metric(name, value, moment, step) for name, value, moment, step in metrics]
        params = [Param(name, str(value)) for name, value in (parameters or {}).items()]
        run_tags = [RunTag(name, str(value)) for name, value in (tags or {}).items()]
        with self._lock:
            self.client.log_batch(run_id, values, params, run_tags)

    def log_now(self, run_id: str, metrics: Iterable[tuple[str, float]]) -> None:
        """Log single values that belong to this moment."""
        moment = round(time.time() * 1000)
        self.log(run_id, [(name, value, moment, 0) for name, value in metrics])

    def log_bytes(self, run_id: str, content: bytes, name: str) -> None:
        """Store bytes as an artifact of the run."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / Path(name).name
            file.write_bytes(content)
            self.client.log_artifact(run_id, str(file), str(Path(name).parent))

    def log_file(self, run_id: str, file: Path, folder: str | None = None) -> None:
        """Store a file as an artifact of the run."""
        self.client.log_artifact(run_id, str(file), folder)

    def log_dataset(self, run_id: str, dataset: "Dataset") -> None:
        """Note the data that a run uses, under our own digest: MLflow's covers the first few images only."""
        from mlflow.entities import Dataset as DatasetEntity
        from mlflow.entities import DatasetInput, InputTag

        shape = {"training": dataset.x_train.shape, "testing": dataset.x_test.shape}
        inputs = [
            DatasetInput(
                DatasetEntity(
                    name=f"{dataset.name} ({context})",  # of two with one name and digest, MLflow keeps one
                    digest=dataset.digest[:36],
                    source_type="local",
                    source=json.dumps({"uri": dataset.source}),
                    profile=json.dumps({"images": shape[context], "classes": dataset.classes}),
                ),
                [InputTag("mlflow.data.context", context)],
            )
            for context in ("training", "testing")
        ]
        with self._lock:
            self.client.log_inputs(run_id, inputs)

    @contextmanager
    def system_metrics(self, run_id: str) -> Iterator[None]:
        """Record the machine's load, memory, disk and GPUs in the run while the block runs."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(
            run_id,
            sampling_interval=5,
            samples_before_logging=1,
            resume_logging=True,
            tracking_uri=self.settings.resolved_tracking_uri,
        )
        monitor.start()
        try:
            yield
        finally:
            monitor.finish()
            if rest := monitor.aggregate_metrics():  # what a short training has sampled but not yet sent
                monitor.publish_metrics(rest)
                monitor.mlflow_logger.flush()

    def log_text(self, run_id: str, text: str, name: str) -> None:
        """Store text as an artifact of the run."""
        self.client.log_text(run_id, text, name)


class TrackedRun:
    """The MLflow run of one training, and how far its run directory has been replayed into it.

    `notes` survive in the run directory, one set for each store, so that a later flow goes on where this
    one stops, and another store gets a run of its own.
    """

    def __init__(self, tracker: Tracker, directory: Path) -> None:
        self.tracker, self.directory = tracker, directory
        self._file = directory / "tracking.json"
        self._store = hashlib.sha256(tracker.settings.resolved_tracking_uri.encode()).hexdigest()[:16]
        self.notes: dict[str, Any] = self._all_notes().get(self._store, {})
        self.waiting: list[Record] = []
        self._read_to: int = self.notes.get("replayed_to", 0)
        self._sent_at = time.monotonic()

    @property
    def run_id(self) -> str:
        """The MLflow run's id, after `open`."""
        return str(self.notes["run_id"])

    def open(self, name: str, tags: Mapping[str, str], parent: str) -> bool:
        """Go on in the run that this training has in the store, or create one; True if it is new."""
        if "run_id" in self.notes and self.tracker.run_exists(self.run_id):
            if "closed" not in self.notes:  # it goes on under this flow run
                self.tracker.log(self.run_id, tags={**tags, "mlflow.parentRunId": parent})
            return False
        self.notes, self._read_to, self.waiting = {}, 0, []
        self.note(run_id=self.tracker.start_run(name, tags, parent))
        return True

    def note(self, **values: Any) -> None:
        """Remember."""
        self.notes |= values
        write_atomically(self._file, json.dumps(self._all_notes() | {self._store: self.notes}))

    def _all_notes(self) -> dict[str, Any]:
        try:
            notes = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def read(self) -> list[Record]:
        """What the training has recorded since the last call; it is kept for `replay`."""
        records, self._read_to = read_records(self.directory / "metrics.jsonl", self._read_to)
        self.waiting += records
        return records

    def replay(self, seconds_between: float = 0.0) -> None:
        """Log what was read, if at least so many seconds have passed since it was last done."""
        if time.monotonic() - self._sent_at < seconds_between:
            return
        self._sent_at = time.monotonic()
        if not self.waiting:
            return
        self.tracker.log(
            self.run_id,
            (
                (name, value, record["time"], record["step"])
                for record in self.waiting
                for name, value in record.items()
                if name not in ("step", "time")
            ),
        )
        self.waiting = []
        self.note(replayed_to=self._read_to)
