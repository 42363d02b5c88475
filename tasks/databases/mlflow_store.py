"""MLflow's store, if it is a sqlite file: whether it can be used, and made ready."""

import hashlib
import logging
import os
from pathlib import Path

from mnist_models.redaction import redacted
from tasks.config.credentials import without_credentials
from tasks.config.settings import Settings
from tasks.databases.sqlite_file import Library, SqliteFile

PREFIX = "sqlite:///"


def mlflow_store(settings: Settings) -> SqliteFile | None:
    """Return the file of the store; None if the store is a server or another kind of database."""
    uri = settings.resolved_tracking_uri
    return SqliteFile(_MLFLOW, Path(uri.removeprefix(PREFIX))) if uri.startswith(PREFIX) else None


def is_inside(home: Path, file: Path) -> bool:
    """Return whether a file lies in the project's folder, so that it moves with it."""
    return Path(os.path.normpath(file)).is_relative_to(home)


def store_id(settings: Settings) -> str:
    """What tells this store from others in notes on the disk; a project that is moved keeps it."""
    return _digest(_path_in(settings) or settings.resolved_tracking_uri)


def former_store_id(settings: Settings, home: Path) -> str:
    """What earlier versions have noted for it when the project was in `home`."""
    path = _path_in(settings)
    return _digest(f"{PREFIX}{home / path}" if path else settings.resolved_tracking_uri)


def _path_in(settings: Settings) -> str:
    """Where the store is in the project's folder; empty if it is elsewhere."""
    store = mlflow_store(settings)
    inside = store is not None and is_inside(settings.home, store.path)
    return os.path.relpath(store.path, settings.home) if store and inside else ""


def _digest(store: str) -> str:
    """Of an address without its password, which may be there: with a new one it is the same store still."""
    return hashlib.sha256(without_credentials(redacted(store)).encode()).hexdigest()[:16]


def check_store(settings: Settings) -> None:
    """Raise Unavailable if the store can never be used as it is. Imports no MLflow, and waits for nobody."""
    store = mlflow_store(settings)
    if store is not None:
        store.check()


def prepare_store(settings: Settings) -> None:
    """Make the store, or upgrade it from an older schema, unless it is ready.

    Raise Unavailable if it can never be used as it is, and sqlite3.OperationalError if others hold it.
    """
    store = mlflow_store(settings)
    if store is not None:
        store.prepare()


def _upgrade(file: Path) -> None:
    for chatty in ("alembic", "mlflow.store"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    from mlflow.db import commands

    commands(["upgrade", f"{PREFIX}{file}"], standalone_mode=False)  # `mlflow db upgrade`


_MLFLOW = Library(
    "MLflow's store",
    package="mlflow",
    migrations="store/db_migrations/versions",
    records=("runs", "registered_models", "logged_models"),
    upgrade=_upgrade,
)
