"""Requests of which MLflow has not taken everything; `mnist sync` makes them again, and reuses all trainings."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.config.settings import Settings
from tasks.flow_run.errors import RecipesFailed
from tasks.flow_run.record import FlowRecord, RecordFile, record_files
from tasks.tracking.outage import NotSent, is_mlflow_error


def unsent_requests(settings: Settings) -> list[FlowRecord]:
    """Return the record of each request that is unsent, oldest first."""
    latest = {file.record.same_request: file.record for file in record_files(settings) if file.record.unsent}
    return list(latest.values())


@contextmanager
def kept_until_sent(settings: Settings, own: RecordFile) -> Iterator[None]:
    """Note in the record why the block fails, if that is MLflow's doing; forget it once such a block is through.

    Raise NotSent, which names the one command that sends what is missing.
    """
    try:
        yield
    except RecipesFailed:  # of which MLflow knows
        _forget(settings, own)
        raise
    except Exception as error:
        if not is_mlflow_error(error):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        own.update(unsent=reason)
        raise NotSent(
            f"MLflow does not do its part: {reason}; everything that was trained is in {settings.runs}, and"
            " `mnist sync` sends what is missing."
        ) from error
    _forget(settings, own)


def _forget(settings: Settings, own: RecordFile) -> None:
    for file in record_files(settings):
        if file.record.unsent and file.record.same_request == own.record.same_request:
            file.update(unsent="")
