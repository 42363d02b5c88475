"""What is looked at before a command or a flow run begins: can the project's records be read and written?"""

import sqlite3
from contextlib import suppress

from tasks.config.settings import Settings
from tasks.config.state_folder import check_state
from tasks.databases.mlflow_store import check_store
from tasks.databases.relocation import follow_move


def check_records(settings: Settings) -> None:
    """Raise Unavailable, in one sentence, if not; take the records along if the project was moved.

    Imports no MLflow, and waits for nobody.
    """
    check_state(settings)
    check_store(settings)
    with suppress(sqlite3.OperationalError):  # others hold the store: who first uses it does this too
        follow_move(settings, seconds=0)
