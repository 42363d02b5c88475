"""From the beginning of a flow run to its end: it shows that it lives, and closes its MLflow runs with their status."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import runtime

from mnist_models.data.dataset import Dataset
from mnist_models.data.sets.names import named_version
from mnist_models.trainer_pool.errors import TrainingCancelled
from mnist_models.trainer_pool.machine import machine
from tasks.config.settings import Settings
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.parent_run import ParentRun, flow_tags
from tasks.flow_run.record import FlowRecord, RecordFile
from tasks.flow_run.request import TrainRequest
from tasks.flow_run.stale_runs import alive
from tasks.flow_run.unsent_requests import kept_until_sent
from tasks.tracking.outage import is_outage
from tasks.tracking.source_tags import data_tags, source_tags

logger = logging.getLogger(__name__)

GIVEN_UP = "the training was given up; it can be resumed"


@contextmanager
def lifetime(context: FlowRunContext, request: TrainRequest, dataset: Dataset) -> Iterator[None]:
    """Close what the dead have left, open the parent run, and keep a record for as long as something is missing.

    Raise NotSent if MLflow has not taken everything.
    """
    context.parent = _parent_run(context, request, dataset)
    settings, store = context.settings, context.tracker.store_id
    repeatable = _repeatable(settings, request)
    own = RecordFile(settings, FlowRecord(str(runtime.flow_run.id), store, repeatable, dataset.digest))
    with (
        alive(context.tracker, own, context.writer.call),
        _close_runs_at_end(context, own),
        kept_until_sent(settings, own),
    ):
        _open_parent(context)
        yield


def _parent_run(context: FlowRunContext, request: TrainRequest, dataset: Dataset) -> ParentRun:
    tags = {"suite": request.title, **data_tags(dataset), **source_tags()}
    parameters = {
        "suite": request.title,
        "recipes": ", ".join(recipe.name for recipe in request.chosen),
        "seeds": ", ".join(str(seed) for seed in request.all_seeds),
        "data": dataset.source,
        "pixels": dataset.pixels,
        **{f"machine.{each.name}": f"{each.value} ({each.why})" for each in machine().choices},
    }
    return ParentRun(context.tracker, tags | flow_tags(), parameters, dataset)


def _repeatable(settings: Settings, request: TrainRequest) -> dict[str, object]:
    """What was trained anew is not trained once more, and a path means the same in another folder."""
    is_path = request.data and not named_version(request.data, settings.named_sets)
    data = str(Path(request.data).resolve()) if is_path else request.data
    return request.parameters() | {"force": False, "data": data}


def _open_parent(context: FlowRunContext) -> None:
    try:
        context.writer.call(context.parent.ensure_open)
    except Exception as error:
        if not is_outage(error):
            raise
        logger.warning("MLflow takes no records for now, which costs none: %s", error)


@contextmanager
def _close_runs_at_end(context: FlowRunContext, own: RecordFile) -> Iterator[None]:
    """Give all runs that are still open the status of the flow run."""
    status = "KILLED"
    try:
        yield
        status = "FINISHED"
    except TrainingCancelled:
        raise
    except Exception:
        status = "FAILED"
        raise
    finally:
        with ignore_signals():
            if status == "KILLED":
                context.cancellation.cancel()
            own.update(ended=status)  # until MLflow has heard of it
            if context.writer.stop() and _end_runs(context, status):
                own.update(closed=True)


def _end_runs(context: FlowRunContext, status: str) -> bool:
    """Return whether all runs could be closed. The writer has ended, so that nothing is opened any more."""
    tracker = context.tracker
    parent = context.parent.run_id
    children = [run.run_id for run in context.child_runs.values() if run.open_now]
    try:
        for run_id in children:
            if status == "KILLED":
                tracker.log(run_id, tags={"status": "killed", "failure": GIVEN_UP})
            tracker.end_run(run_id, status)
        if parent:
            tracker.end_run(parent, status)
    except Exception as error:  # must not hide what has ended the flow; the next flow run closes them
        logger.warning("the MLflow runs of this flow run could not be closed as %s: %s", status, error)
        return False
    # A run whose creation was not answered may be in the store nevertheless: the next flow run looks for it.
    return bool(parent) and all(run.run_id for run in context.child_runs.values())


@contextmanager
def ignore_signals() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM while the block runs. Only the main thread gets them: in others nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
