"""The MLflow run of a whole flow run, above the trainings' runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import runtime
from prefect.artifacts import create_link_artifact

from mnist_models.data.dataset import Dataset
from tasks.mlflow_links import mlflow_address, run_link
from tasks.prefect_server import ui_address
from tasks.request import Request
from tasks.session import Session, code_tags
from tasks.undisturbed import undisturbed

logger = logging.getLogger(__name__)


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
    session.parent_run_id = tracker.start_run(str(runtime.flow_run.name), tags)
    tracker.log(
        session.parent_run_id,
        parameters={
            "suite": asked,
            "recipes": ", ".join(recipe.name for recipe in request.recipes),
            "seeds": ", ".join(str(seed) for seed in request.seeds),
            "data": dataset.source,
            **{f"machine.{each.name}": f"{each.value} ({each.why})" for each in session.machine.choices},
        },
    )
    tracker.log_dataset(session.parent_run_id, dataset)
    create_link_artifact(
        run_link(mlflow_address(session.settings), tracker.experiment_id, session.parent_run_id),
        link_text="The comparison in MLflow",
        key="mlflow",
        description="What this run trains, beside each other in MLflow",
    )
    status = "KILLED"
    try:
        yield flow_tags
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        with undisturbed():
            for run_id in (*session.open_runs, session.parent_run_id):
                try:
                    tracker.end_run(run_id, status)
                except Exception as error:  # must not hide what has ended the flow
                    logger.warning("the run %s could not be closed as %s: %s", run_id, status, error)
