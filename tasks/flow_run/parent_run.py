"""The MLflow run of a whole flow run, above the trainings' runs."""

from contextvars import copy_context

from prefect import runtime
from prefect.artifacts import create_link_artifact

from mnist_models.data.dataset import Dataset
from tasks.servers.prefect_server import ui_address
from tasks.tracking.links import mlflow_address, run_link
from tasks.tracking.tracker import Tracker


def flow_tags() -> dict[str, str]:
    """Return the tags that link an MLflow run to the flow run that is going on."""
    flow_run_id = str(runtime.flow_run.id)
    return {
        "prefect.flow_run_id": flow_run_id,
        "prefect.flow_run_name": str(runtime.flow_run.name),
        "prefect.url": f"{ui_address()}/runs/flow-run/{flow_run_id}",
    }


class ParentRun:
    """Opened when it is first needed: a flow run begins without MLflow if it has to.

    All methods are called in the writer's thread.
    """

    def __init__(self, tracker: Tracker, tags: dict[str, str], parameters: dict[str, str], dataset: Dataset) -> None:
        self.tracker, self._tags, self._parameters, self._dataset = tracker, tags, parameters, dataset
        self._name, self._prefect = str(runtime.flow_run.name), copy_context()
        self.run_id = ""  # empty until it is open
        self._described = False

    def ensure_open(self) -> str:
        """Create and describe it, unless that is done; return its id."""
        tracker = self.tracker
        run_id = self.run_id = self.run_id or tracker.start_run(self._name, self._tags)
        if not self._described:
            tracker.log(run_id, parameters=self._parameters)
            tracker.log_dataset(run_id, self._dataset)
            link = run_link(mlflow_address(tracker.settings), tracker.experiment_id, run_id)
            self._prefect.run(create_link_artifact, link, link_text="The comparison in MLflow", key="mlflow")
            self._described = True
        return self.run_id
