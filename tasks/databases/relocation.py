"""A project that was moved, copied or restored: what its records say of the old place is made true.

MLflow's store holds the absolute path of each artifact. The location of an experiment tells where the project was
when it was made, because ours is a folder of the project.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mnist_models.atomic import write_atomically
from tasks.config.settings import ARTIFACTS, Settings
from tasks.databases.mlflow_store import former_store_id, is_inside, mlflow_store, store_id
from tasks.databases.sqlite_file import SECONDS, Condition

logger = logging.getLogger(__name__)

# Where MLflow keeps paths of artifacts.
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True)
class Move:
    """A project's folder, where it was when some of its records were written, and the artifacts' folder in both."""

    old: Path
    new: Path
    artifacts: Path

    @property
    def prefixes(self) -> tuple[tuple[str, str], ...]:
        """What paths and URIs of artifacts began with, and begin with now."""
        old, new = self.old / self.artifacts, self.new / self.artifacts
        return (str(old), str(new)), (old.as_uri(), new.as_uri())


def follow_move(settings: Settings, seconds: float = SECONDS) -> None:
    """Make the records true if the project is no longer where they say.

    Raise sqlite3.OperationalError if others hold the store for so long.
    """
    store = mlflow_store(settings)
    if store is None or not is_inside(settings.home, store.path) or store.look(seconds) is not Condition.READY:
        return
    with closing(sqlite3.connect(store.path, seconds, isolation_level=None)) as database:
        for move in moves(settings, database):
            logger.warning("this project was in %s: what its records say of that is changed to %s", move.old, move.new)
            # The notes first: if this is cut short, the store still tells that something is left to do.
            for file in sorted(settings.runs.glob("*/tracking.json")):
                _rewrite(file, partial(_renamed_store, settings, move))
            for file in sorted(settings.flows.glob("*.json")):
                _rewrite(file, partial(_moved_request, settings, move))
            database.execute("BEGIN IMMEDIATE")
            for table, column in COLUMNS:
                for old, new in move.prefixes:
                    database.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {_IS_BELOW.format(column)}",
                        (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                    )
            database.execute("COMMIT")


_IS_BELOW = "({0} = ? OR substr({0}, 1, ?) = ?)"


def moves(settings: Settings, database: sqlite3.Connection) -> list[Move]:
    """Return from where the project has come, as the locations of its experiments tell."""
    found = [
        move
        for name, move in _elsewhere(settings, database)
        if _files_came_along(database, move, name == settings.experiment_name)
    ]
    return list(dict.fromkeys(found))


def left_behind(settings: Settings, database: sqlite3.Connection) -> Path | None:
    """Return where the artifacts of our experiment are, if the project was moved without them."""
    own = (move for name, move in _elsewhere(settings, database) if name == settings.experiment_name)
    return next((move.old / move.artifacts for move in own if not _files_came_along(database, move, True)), None)


def _elsewhere(settings: Settings, database: sqlite3.Connection) -> Iterator[tuple[str, Move]]:
    """The experiments whose artifacts lie as ours do, but below another folder."""
    artifacts = Path(settings.artifact_location or ARTIFACTS)
    if artifacts.is_absolute() or "://" in settings.artifact_location or ".." in artifacts.parts:
        return
    for name, location in database.execute("SELECT name, artifact_location FROM experiments").fetchall():
        path = _path(location or "")
        old = Path(*path.parts[: -len(artifacts.parts)])
        if old != settings.home and path == old / artifacts and path.is_absolute():
            yield name, Move(old, settings.home, artifacts)


def _files_came_along(database: sqlite3.Connection, move: Move, is_own: bool) -> bool:
    """Whether the artifacts are in the new place, or at least no longer in the old one.

    Otherwise the location is right: another project shares the store, or the artifacts were left behind.
    """
    old = move.old / move.artifacts
    _, (prefix, _new) = move.prefixes
    rows = database.execute(
        f"SELECT artifact_uri FROM runs WHERE {_IS_BELOW.format('artifact_uri')}",
        (prefix, len(prefix) + 1, f"{prefix}/"),
    ).fetchall()
    names = {_path(uri).relative_to(old).parts[0] for (uri,) in rows if _path(uri) != old}
    if any((move.new / move.artifacts / name).exists() for name in names):
        return True
    return not old.exists() or (is_own and not any((old / name).exists() for name in names))


def _path(location: str) -> Path:
    return Path(unquote(urlsplit(location).path) if location.startswith("file:") else location)


def _rewrite(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with suppress(OSError, ValueError, AttributeError, TypeError):  # one that was cut is as good as none
        before = json.loads(file.read_text())
        after = change(before)
        if after != before:
            write_atomically(file, json.dumps(after, indent=2) + "\n")


def _renamed_store(settings: Settings, move: Move, note: dict[str, Any]) -> dict[str, Any]:
    """The notes of a training, by store."""
    former = former_store_id(settings, move.old)
    return {store_id(settings) if store == former else store: state for store, state in note.items()}


def _moved_request(settings: Settings, move: Move, note: dict[str, Any]) -> dict[str, Any]:
    """The record of a flow run: its store, and the data that its request names."""
    store = store_id(settings) if note["store"] == former_store_id(settings, move.old) else note["store"]
    request = dict(note.get("request", {}))
    data = Path(request.get("data", ""))
    if data.is_relative_to(move.old):
        request["data"] = str(move.new / data.relative_to(move.old))
    return note | {"store": store, "request": request}
