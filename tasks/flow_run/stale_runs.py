"""A flow run shows that it lives by a lock on the disk; what the dead have left RUNNING is closed by the next one."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from filelock import FileLock, Timeout

from mnist_models.atomic import write_atomically
from tasks.config.settings import Settings
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities import Run
    from prefect.client.schemas.objects import State

logger = logging.getLogger(__name__)

WHY = "its process died; what it was training goes on at the last checkpoint with the next flow run"


@dataclass(frozen=True)
class FlowRecord:
    """What is known on this machine of a flow run that has not been cleared away.

    It is named by the id of the Prefect flow run, which is a tag of all its MLflow runs, so that it can be written
    before the first of them exists.
    """

    file: Path
    flow_run_id: str
    store: str  # `Tracker.store_id`
    ended: str = ""  # the status that its MLflow runs should have; empty while it runs, or if its process has died

    @property
    def lock(self) -> FileLock:
        """Held by the process of the flow run."""
        return FileLock(self.file.with_suffix(".lock"))

    def write(self, ended: str = "") -> None:
        """Put it on the disk."""
        content = {"flow_run_id": self.flow_run_id, "store": self.store, "ended": ended}
        write_atomically(self.file, json.dumps(content))

    def remove(self) -> None:
        """Take it off the disk; the lock should be held."""
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".lock").unlink(missing_ok=True)


def read_records(settings: Settings) -> list[FlowRecord]:
    """Of all flow runs, living ones included. One that was cut has a name, and that is enough."""
    records = []
    for file in sorted(settings.flows.glob("*.json")):
        try:
            content = json.loads(file.read_text())
            records.append(FlowRecord(file, file.stem, str(content["store"]), str(content["ended"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return records


def stale_records(settings: Settings) -> list[FlowRecord]:
    """Of flow runs whose processes have ended and left something open."""
    stale = []
    for record in read_records(settings):
        try:
            with record.lock.acquire(blocking=False):
                stale.append(record)
        except Timeout:
            continue
    return stale


@contextmanager
def alive(tracker: Tracker, flow_run_id: str) -> Iterator[FlowRecord]:
    """Close what the dead have left, then show for the length of the block that this flow run lives.

    The record stays if the block leaves it `ended`: then MLflow has not heard of everything yet.
    """
    folder = tracker.settings.flows
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "reconciling.lock"):  # whoever starts meanwhile takes up trainings only after it
        _reconcile(tracker, flow_run_id)
        own = FlowRecord(folder / f"{flow_run_id}.json", flow_run_id, tracker.store_id)
        lock = own.lock
        lock.acquire()
        own.write()
    try:
        yield own
    finally:
        lock.release()


def _reconcile(tracker: Tracker, own: str) -> None:
    for record in read_records(tracker.settings):
        try:
            with record.lock.acquire(blocking=False):
                if record.flow_run_id != own and not record.ended:
                    _close_in_prefect(record.flow_run_id)
                if record.store == tracker.store_id:  # another store's runs are closed when that is in use again
                    _close_in_mlflow(tracker, record)
                    record.remove()
        except Timeout:
            continue
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
