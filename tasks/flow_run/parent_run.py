"""The MLflow run of a whole flow run, above the trainings' runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from prefect import runtime
from prefect.artifacts import create_link_artifact

from mnist_models.data.dataset import Dataset
from tasks.flow_run.context import Session, code_tags
from tasks.flow_run.request import Request
from tasks.flow_run.stale_runs import alive
from tasks.flow_run.undisturbed import undisturbed
from tasks.servers.prefect_server import ui_address
from tasks.tracking.links import mlflow_address, run_link
from tasks.tracking.outage import is_outage

logger = logging.getLogger(__name__)


class _ParentRun:
    """Opened by whoever needs it first, in whichever thread: a flow run begins without MLflow if it has to."""

    def __init__(self, session: Session, tags: dict[str, str], parameters: dict[str, str], dataset: Dataset) -> None:
        self._session, self._tags, self._parameters, self._dataset = session, tags, parameters, dataset
        self._lock = Lock()
        self.run_id = ""

    def open(self) -> str:
        """Its id."""
        with self._lock:
            if not self.run_id:
                self.run_id = self._create()
            return self.run_id

    def _create(self) -> str:
        tracker = self._session.tracker
        run_id = tracker.start_run(str(runtime.flow_run.name), self._tags)
        tracker.log(run_id, parameters=self._parameters)
        tracker.log_dataset(run_id, self._dataset)
        create_link_artifact(
            run_link(mlflow_address(self._session.settings), tracker.experiment_id, run_id),
            link_text="The comparison in MLflow",
            key="mlflow",
        )
        return run_id


@contextmanager
def parent_run(
    session: Session, suite: str, recipes: list[str], request: Request, dataset: Dataset
) -> Iterator[dict[str, str]]:
    """Open the parent run and close it with its true status; gives the tags that link runs to the flow run."""
    tracker = session.tracker
    flow_run_id = str(runtime.flow_run.id)
    flow_tags = {
        "prefect.flow_run_id": flow_run_id,
        "prefect.flow_run_name": str(runtime.flow_run.name),
        "prefect.url": f"{ui_address()}/runs/flow-run/{flow_run_id}",
    }
    asked = ", ".join(recipes) or suite
    tags = {"suite": asked, "data": dataset.name, "data_digest": dataset.digest, **code_tags(), **flow_tags}
    parameters = {
        "suite": asked,
        "recipes": ", ".join(recipe.name for recipe in request.recipes),
        "seeds": ", ".join(str(seed) for seed in request.seeds),
        "data": dataset.source,
        **{f"machine.{each.name}": f"{each.value} ({each.why})" for each in session.machine.choices},
    }
    parent = _ParentRun(session, tags, parameters, dataset)
    session.open_parent = parent.open
    with alive(tracker, flow_run_id) as record:
        try:
            parent.open()
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("MLflow takes no records for now, which costs none: %s", error)
        status = "KILLED"
        try:
            yield flow_tags
            status = "FINISHED"
        except Exception:
            status = "FAILED"
            raise
        finally:
            with undisturbed():
                record.write(ended=status)  # until MLflow has heard of it
                if _end_runs(session, parent.run_id, status):
                    record.remove()


def _end_runs(session: Session, parent: str, status: str) -> bool:
    """Whether all runs could be closed, and none can have been opened unseen."""
    sure = status != "KILLED"  # a thread may just be opening one
    for run_id in (*session.open_runs, *([parent] if parent else [])):
        try:
            session.tracker.end_run(run_id, status)
        except Exception as error:  # must not hide what has ended the flow
            sure = False
            logger.warning("the run %s could not be closed as %s: %s", run_id, status, error)
            if is_outage(error):  # the next flow run closes them
                break
    return sure
