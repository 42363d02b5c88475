"""`python -m tasks.servers.lasting_server …` is `prefect server start …`, calm while its database is busy.

With sqlite, a transaction of Prefect's that has read cannot go on to write if another has written meanwhile. Prefect
tries that again, so nothing is lost, but some of its services tell of it with a hundred lines of traceback each.
"""

import logging
import os
import runpy
import sys
from functools import partial
from typing import Any

MOST_CAUSES = 10


def main() -> None:
    """Run the server with this process's arguments."""
    _leave_out_the_banner()
    logging.setLogRecordFactory(partial(_calm_record, logging.getLogRecordFactory()))
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__")


def _leave_out_the_banner() -> None:
    """Close what Prefect prints on: it advises to write this server's address into the profile of all projects."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _calm_record(make: Any, *args: Any, **kwargs: Any) -> logging.LogRecord:
    record: logging.LogRecord = make(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else None
    for _ in range(MOST_CAUSES):
        if error is None:
            break
        if "database is locked" in str(error):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "The database was busy, and Prefect tries again: %s", (record.name,)
            record.exc_info = record.exc_text = None
            break
        error = error.__cause__ or error.__context__
    return record


if __name__ == "__main__":
    main()
