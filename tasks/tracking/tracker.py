"""What is logged to MLflow, and how: every call names its run."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mnist_models.redaction import redacted
from mnist_models.shown_text import in_title
from tasks.config.library_defaults import set_defaults
from tasks.config.settings import Settings
from tasks.databases.mlflow_store import former_store_id, prepare_store, store_id
from tasks.databases.relocation import follow_move
from tasks.tracking.experiment_page import prepare_page
from tasks.tracking.logged_parameters import check_logged
from tasks.tracking.outage import once_permitted

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.entities import Run as MlflowRun

    from mnist_models.data.dataset import Dataset


MOST_NAMES, LONGEST_NAME = 100, 60  # of classes in the profile of a data set, which MLflow cuts


class DatasetPart(NamedTuple):
    """The training or the test images of a data set, as MLflow calls them."""

    name: str
    digest: str


def dataset_part(dataset: "Dataset", context: str) -> DatasetPart:
    """Return what MLflow calls a part of a data set; of two with one name and digest, it keeps one."""
    return DatasetPart(f"{dataset.name} ({context})", dataset.digest[:36])


class Tracker:
    """Logs to the MLflow store of the settings. All calls name their run.

    Whatever is text is logged without the credentials that an address in it may hold. In a flow run only the thread of
    the background writer writes: sqlite takes one writer at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def client(self) -> "MlflowClient":
        """The client; importing MLflow takes seconds, so it is done on first use."""
        set_defaults()
        for chatty in ("alembic", "mlflow.store"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        # It prints the whole statement with its traceback before it raises, and what is raised is said by us.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        from mlflow import MlflowClient, set_registry_uri, set_tracking_uri

        uri = self.settings.resolved_tracking_uri
        prepare_store(self.settings)
        follow_move(self.settings)
        set_registry_uri(uri)  # before MLFLOW_REGISTRY_URI
        set_tracking_uri(uri)  # the registry's `models:/` URIs are resolved through the global one
        return MlflowClient(uri, registry_uri=uri)

    @cached_property
    def store_id(self) -> str:
        """What tells this store from others in notes on the disk."""
        return store_id(self.settings)

    @cached_property
    def store_ids(self) -> tuple[str, ...]:
        """The same, and what older notes call it."""
        return self.store_id, former_store_id(self.settings, self.settings.home)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment's id; it is created when it is missing, and its page in the UI is prepared."""
        experiment = self._experiment()
        if experiment.lifecycle_stage == "deleted":
            self.client.restore_experiment(experiment.experiment_id)
        prepare_page(self.client, experiment)
        return str(experiment.experiment_id)

    def _experiment(self) -> "Experiment":
        from mlflow.exceptions import MlflowException

        name = self.settings.experiment_name
        if found := once_permitted(lambda: self.client.get_experiment_by_name(name)):
            return found
        try:
            created = self.client.create_experiment(name, self.settings.resolved_artifact_location)
        except MlflowException:  # another flow was faster
            if found := once_permitted(lambda: self.client.get_experiment_by_name(name)):
                return found
            raise
        return self.client.get_experiment(created)

    def start_run(self, name: str, tags: Mapping[str, str], parent: str | None = None) -> str:
        """Create a run and give its id."""
        all_tags = {name: redacted(value) for name, value in tags.items()}
        all_tags |= {"mlflow.parentRunId": parent} if parent else {}
        run = self.client.create_run(self.experiment_id, run_name=redacted(name), tags=all_tags)
        return str(run.info.run_id)

    def run_status(self, run_id: str) -> str:
        """The status of a run; empty if the store does not know it, or has put it into the bin."""
        from mlflow.exceptions import MlflowException

        try:
            info = self.client.get_run(run_id).info
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return ""
        return str(info.status) if info.lifecycle_stage == "active" else ""

    def find_runs(self, **tags: str) -> list["MlflowRun"]:
        """The experiment's runs that have all these tags, in which `__` stands for a dot."""
        wanted = (f"tags.`{name.replace('__', '.')}` = '{value}'" for name, value in tags.items())
        return list(self.client.search_runs([self.experiment_id], " and ".join(wanted)))

    def resume_run(self, run_id: str) -> None:
        """Say that a run goes on, whatever an interruption has made of its status."""
        self.client.update_run(run_id, "RUNNING")
        if "failure" in self.client.get_run(run_id).data.tags:
            self.client.delete_tag(run_id, "failure")

    def end_run(self, run_id: str, status: str, at: float | None = None) -> None:
        """Set the final status: FINISHED, FAILED or KILLED, now or as of a time in Unix seconds."""
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
        check_logged(parameters or {})
        params = [Param(name, redacted(str(value))) for name, value in (parameters or {}).items()]
        run_tags = [RunTag(name, redacted(str(value))) for name, value in (tags or {}).items()]
        self.client.log_batch(run_id, values, params, run_tags)

    def log_now(self, run_id: str, metrics: Iterable[tuple[str, float]]) -> None:
        """Log single values that belong to this moment."""
        moment = round(time.time() * 1000)
        self.log(run_id, [(name, value, moment, 0) for name, value in metrics])

    def log_file(self, run_id: str, file: Path, folder: str | None = None) -> None:
        """Store a file as an artifact of the run."""
        self.client.log_artifact(run_id, str(file), folder)

    def log_dataset(self, run_id: str, dataset: "Dataset") -> None:
        """Note the data that a run uses, under our own digest: MLflow's covers the first few images only."""
        from mlflow.entities import Dataset as DatasetEntity
        from mlflow.entities import DatasetInput, InputTag

        shape = {"training": dataset.x_train.shape, "testing": dataset.x_test.shape}
        names = [in_title(name)[:LONGEST_NAME] for name in dataset.class_names[:MOST_NAMES]]
        inputs = [
            DatasetInput(
                DatasetEntity(
                    name=(part := dataset_part(dataset, context)).name,
                    digest=part.digest,
                    source_type="local",
                    source=json.dumps({"uri": redacted(dataset.source)}),
                    profile=json.dumps({"images": shape[context], "classes": dataset.classes, "names": names}),
                ),
                [InputTag("mlflow.data.context", context)],
            )
            for context in ("training", "testing")
        ]
        self.client.log_inputs(run_id, inputs)

    def log_text(self, run_id: str, text: str, name: str) -> None:
        """Store text as an artifact of the run."""
        self.client.log_text(run_id, redacted(text), name)
