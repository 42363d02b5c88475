"""What Prefect logs of the ends of runs, as loud as they deserve."""

import logging
from functools import partial
from typing import Any

from mnist_models.errors import InvalidInput, Unavailable

SERVICES = "prefect._internal.concurrency"


def calm_log() -> None:
    """From now on a refusal is logged as its sentence, and what was cancelled is no error; idempotent."""
    make = outer = logging.getLogRecordFactory()
    while isinstance(outer, partial):
        if outer.func is _calm_record:
            return
        outer = outer.args[0]
    logging.setLogRecordFactory(partial(_calm_record, make))


def _calm_record(make: Any, *args: Any, **kwargs: Any) -> logging.LogRecord:
    record: logging.LogRecord = make(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, InvalidInput | Unavailable):
        # The traceback leads through Prefect and our checks, and not to what the user can mend.
        record.exc_info = record.exc_text = None
        if str(error) not in f"{record.msg} {record.args}":
            record.msg = f"{record.msg}: {str(error).replace('%', '%%') if record.args else error}"
    elif record.levelno == logging.ERROR and str(record.msg).startswith("Finished in state Cancelled"):
        record.levelno, record.levelname = logging.INFO, "INFO"
    elif record.name == SERVICES and f"{record.msg} {record.args}".count("ConcurrencySlotAcquisition"):
        # Told every few seconds while a training waits for a slot, which supervision/trainer_slots says once.
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return record
