"""What flow runs whose processes have died have left RUNNING in MLflow and Prefect, closed by the next flow run."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from filelock import FileLock

from tasks.config.settings import Settings
from tasks.flow_run.record import FlowRecord, RecordFile, record_files
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities import Run
    from prefect.client.schemas.objects import State

logger = logging.getLogger(__name__)

WHY = "its process died; what it was training goes on at the last checkpoint with the next flow run"


def stale_records(settings: Settings) -> list[FlowRecord]:
    """Return those of flow runs whose processes have ended and left something open."""
    stale = []
    for file in record_files(settings):
        with file.locked_if_dead() as is_dead:
            if is_dead and not file.record.closed:
                stale.append(file.record)
    return stale


@contextmanager
def alive(tracker: Tracker, own: RecordFile, write: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Close what the dead have left, then show for the length of the block that this flow run lives.

    `write` does what writes to MLflow.
    """
    folder = tracker.settings.flows
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "reconciling.lock"):  # whoever starts meanwhile takes up trainings only after it
        write(lambda: close_stale_runs(tracker))
        own.lock.acquire()
        own.update()
    try:
        yield
    finally:
        own.lock.release()


def close_stale_runs(tracker: Tracker) -> None:
    """Close what the dead have left, as far as the servers allow."""
    for file in record_files(tracker.settings):
        record = file.record
        with file.locked_if_dead() as is_dead:
            if not is_dead or record.closed:
                continue
            try:
                if not record.ended:
                    _close_in_prefect(record.flow_run_id)
                if record.store in tracker.store_ids:  # another store's runs are closed when that is in use again
                    _close_in_mlflow(tracker, record)
                    file.update(ended=record.ended or "KILLED", closed=True)
            except Exception as error:  # a server that is away must not end the flow run that starts
                logger.warning("what the flow run %s has left open stays so for now: %s", record.flow_run_id, error)


def _close_in_mlflow(tracker: Tracker, record: FlowRecord) -> None:
    """Those that another flow run has taken up carry its id, and are left alone."""
    for found in tracker.find_runs(prefect__flow_run_id=record.flow_run_id):
        run: Run = tracker.client.get_run(found.info.run_id)
        if run.info.status != "RUNNING" or run.data.tags.get("prefect.flow_run_id") != record.flow_run_id:
            continue
        if not record.ended:
            tracker.log(run.info.run_id, tags={"status": "killed", "failure": WHY})
        tracker.end_run(run.info.run_id, record.ended or "KILLED")
        logger.info("the MLflow run %s (%s) is closed: %s", run.info.run_id, run.info.run_name, record.ended or WHY)


def _close_in_prefect(flow_run_id: str) -> None:
    """The flow run, and those of its tasks that were running."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
    from prefect.exceptions import ObjectNotFound
    from prefect.states import Crashed

    crashed: State[Any] = Crashed(message=f"{WHY[0].upper()}{WHY[1:]}.")
    unfinished = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(UUID(flow_run_id))
        except ObjectNotFound:
            return
        if run.state is None or not run.state.is_final():
            client.set_flow_run_state(run.id, crashed, force=True)
        tasks = client.read_task_runs(
            flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run.id]}}),
            task_run_filter=TaskRunFilter.model_validate(unfinished),
        )
        for task in tasks:
            client.set_task_run_state(task.id, crashed, force=True)
