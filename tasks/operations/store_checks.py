"""What is wrong with the project's records: the state folder, both databases, the champion's files."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from mnist_models.errors import Unavailable
from tasks.config.settings import Settings
from tasks.config.state_folder import check_state
from tasks.databases.mlflow_store import mlflow_store
from tasks.databases.prefect_database import prefect_database
from tasks.databases.prefect_home import prefect_home
from tasks.databases.relocation import left_behind
from tasks.databases.sqlite_file import Condition, SqliteFile
from tasks.registry.champion import champion_version
from tasks.tracking.model_files import files_are_lost, lost_files
from tasks.tracking.tracker import Tracker

LOCK_SECONDS = 2.0

Wrong = tuple[str, str]  # what is wrong, and what to do


def wrong_records(settings: Settings) -> Iterator[Wrong]:
    """All that is wrong; nothing is changed by looking."""
    try:
        check_state(settings)
    except Unavailable as refusal:
        yield _split(refusal)
    home = prefect_home(settings)
    if prefect := prefect_database(os.environ | ({} if home is None else {"PREFECT_HOME": str(home)})):
        yield from _database(prefect)
    store = mlflow_store(settings)
    if store is None or not store.path.exists():
        return
    found = list(_database(store)) or list(_locked(store.path))
    yield from found
    if not found and store.look() is Condition.READY:
        yield from _artifacts(settings, store.path)


def _split(refusal: Unavailable) -> Wrong:
    what, _, remedy = str(refusal).rstrip(".").rpartition(": " if "; " not in str(refusal) else "; ")
    return what, remedy


def _database(database: SqliteFile) -> Iterator[Wrong]:
    try:
        if database.look(LOCK_SECONDS) is Condition.UNFINISHED:
            what = f"{database.title}: a process was killed while it made or upgraded it"
            yield what, "nothing: the next command that needs it goes on"
    except Unavailable as refusal:
        yield _split(refusal)
    except sqlite3.OperationalError:  # `_locked` says so of MLflow's; Prefect's has a server that knows what it does
        pass


def _locked(store: Path) -> Iterator[Wrong]:
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=rw", LOCK_SECONDS, uri=True)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        yield (
            f"MLflow's store, {store}, cannot be written to: {error}",
            "end the process that holds it; trainings wait for it, and what they cannot log `mnist sync` sends",
        )


def _artifacts(settings: Settings, store: Path) -> Iterator[Wrong]:
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", LOCK_SECONDS, uri=True)) as database:
        if old := left_behind(settings, database):
            what = f"the project was moved without its artifacts, which are still in {old}"
            yield what, f"move that folder to {settings.home / settings.artifact_location}"
        if not database.execute("SELECT 1 FROM registered_model_aliases LIMIT 1").fetchone():
            return
    if lost := lost_champion(settings):  # imports MLflow, which takes seconds
        what, _, remedy = lost.partition("; ")
        yield f"the champion is lost: {what}", remedy


def lost_champion(settings: Settings) -> str:
    """Say that the champion's files are gone, and what to do; empty if they are not."""
    tracker = Tracker(settings)
    version = champion_version(tracker)
    return lost_files(tracker, version) if version is not None and files_are_lost(tracker, version) else ""
