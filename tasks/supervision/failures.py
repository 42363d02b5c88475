"""What ends a training too early, said truly on the screen and in its MLflow run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception

from mnist_models.redaction import redacted
from mnist_models.trainer_pool.pool import PoolClosed, TrainerDied, TrainingFailed
from tasks.flow_run.context import Session
from tasks.supervision.child_run import TrainingRun

logger = logging.getLogger(__name__)


EXHAUSTED = "ResourceExhaustedError"  # TensorFlow's, of a GPU's memory; its message has several lines
HINT = "give the recipe a smaller batch_size, or let nothing else use the device meanwhile"


def first_line(error: BaseException) -> str:
    """What an error says in one line; of a traceback, its last, with a hint where one helps."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if not isinstance(error, TrainingFailed):
        return redacted(lines[0])
    raised = next((line for line in reversed(lines) if EXHAUSTED in line), None)
    return redacted(lines[-1] if raised is None else f"{raised}; {HINT}")


@contextmanager
def true_status(session: Session, run: TrainingRun, name: str, last_attempt: bool) -> Iterator[None]:
    """Whatever ends the training too early, say so on the screen and in its run."""
    try:
        yield
    except TrainerDied as death:
        outlook = "given up" if last_attempt else "it goes on at its last checkpoint"
        session.display.done(name, f"{death}; {outlook}", logging.WARNING)
        if last_attempt:
            _end_early(session, run, "FAILED", str(death), "")
        raise
    except TrainingFailed as failure:
        reason = first_line(failure)
        session.display.done(name, f"failed: {reason}", logging.WARNING)
        _end_early(session, run, "FAILED", reason, str(failure))
        raise
    except PoolClosed as interruption:
        _end_early(session, run, "KILLED", str(interruption), "")
        raise
    except Exception as error:
        _end_early(session, run, "FAILED", first_line(error), "".join(format_exception(error)))
        raise


def _end_early(session: Session, run: TrainingRun, status: str, reason: str, traceback: str) -> None:
    """Record a failure as well as the store allows; it must not hide the failure itself."""
    try:
        if status != "KILLED":
            run.ensure_open()
        elif not run.opened:
            return
        session.tracker.log(run.run_id, tags={"status": status.lower(), "failure": reason})
        if traceback:
            session.tracker.log_text(run.run_id, traceback, "traceback.txt")
        session.tracker.end_run(run.run_id, status)
        session.open_runs.discard(run.run_id)
    except Exception as error:
        logger.warning("the run %s could not be closed as %s: %s", run.notes.get("run_id"), status, error)
