"""What ends a training too early, said truly on the screen and in its MLflow run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception

from mnist_models.error_place import own_place, raised_line
from mnist_models.redaction import redacted
from mnist_models.trainer_pool.errors import TrainerDied, TrainingCancelled, TrainingFailed
from mnist_models.training_run.run_directory import is_recipe_file
from tasks.flow_run.child_run import ChildRun
from tasks.flow_run.context import FlowRunContext

logger = logging.getLogger(__name__)

EXHAUSTED = "ResourceExhaustedError"  # TensorFlow's, of a GPU's memory; its message has several lines
HINT = "give the recipe a smaller batch_size, or let nothing else use the device meanwhile"


def first_line(error: BaseException) -> str:
    """Return what an error says in one line.

    Of a traceback that is what was raised, after the innermost line of a recipe file, and with a hint where one helps.
    """
    text = str(error).strip() or type(error).__name__
    lines = text.splitlines()
    if not isinstance(error, TrainingFailed):
        return redacted(lines[0])
    raised = next((f"{line}; {HINT}" for line in reversed(lines) if EXHAUSTED in line), raised_line(text) or lines[-1])
    place = own_place(text, is_recipe_file)
    return redacted(f"{place}: {raised}" if place else raised)


@contextmanager
def report_failure(context: FlowRunContext, run: ChildRun, name: str, last_attempt: bool) -> Iterator[None]:
    """Whatever ends the training too early, say so on the screen and in its run."""
    try:
        yield
    except TrainerDied as death:
        outlook = "given up" if last_attempt else "it goes on at its last checkpoint"
        context.display.done(name, f"{death}; {outlook}", logging.WARNING)
        if last_attempt:
            _end_failed(context, run, str(death), "")
        raise
    except TrainingFailed as failure:
        reason = first_line(failure)
        context.display.done(name, f"failed: {reason}", logging.WARNING)
        _end_failed(context, run, reason, str(failure))
        raise
    except TrainingCancelled:  # the end of the flow run closes what is open
        raise
    except Exception as error:
        if context.cancellation.cancelled:  # it comes of that end
            raise
        _end_failed(context, run, first_line(error), "".join(format_exception(error)))
        raise


def _end_failed(context: FlowRunContext, run: ChildRun, reason: str, traceback: str) -> None:
    """Record a failure as well as the store allows; it must not hide the failure itself."""

    def end() -> None:
        run.ensure_open()
        run.tracker.log(run.run_id, tags={"status": "failed", "failure": reason})
        if traceback:
            run.tracker.log_text(run.run_id, traceback, "traceback.txt")
        run.end("FAILED")

    try:
        context.writer.call(end)
    except Exception as error:
        logger.warning("the run %s could not be closed as FAILED: %s", run.run_id, error)
