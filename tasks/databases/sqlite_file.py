"""A library's sqlite file, of which a kill never leaves a part.

Alembic changes a sqlite file in many steps, and not in one transaction: killed in between, it cannot go on. So a new
file is made beside its place and renamed. One of an older schema is upgraded where it is, because others may have it
open, but after a backup; whoever finds that backup restores it, and upgrades again.
"""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from mnist_models.atomic import atomic_path
from mnist_models.errors import Unavailable
from tasks.databases.schema import Revisions, revisions_of

logger = logging.getLogger(__name__)

SECONDS = 20.0  # for which another process may hold the file
UNFINISHED = "_alembic_tmp_"  # the table that Alembic copies another into, and then renames


class Condition(Enum):
    """What a file needs before it can be used."""

    READY = "nothing"
    MISSING = "to be made"
    OLD = "an upgrade"
    UNFINISHED = "to be finished: a process was killed while it made or upgraded it"


@dataclass(frozen=True)
class Library:
    """Whose file it is."""

    name: str  # as the messages say it
    package: str
    migrations: str  # a folder below the package
    records: tuple[str, ...]  # the tables of which one at least holds a row, if anything was ever recorded
    upgrade: Callable[[Path], None]  # make all tables of an empty file, or bring an older schema up to date

    @property
    def revisions(self) -> Revisions:
        """The schemas that the installed version knows."""
        return revisions_of(self.package, self.migrations)


class SqliteFile:
    """The sqlite file of a library, which may not exist yet."""

    def __init__(self, library: Library, path: Path) -> None:
        self.library, self.path = library, path
        self.backup = path.with_name(f"{path.name}.upgrading")  # there while an upgrade is on its way
        self.kept = path.with_name(f"{path.name}.before-upgrade")

    @cached_property
    def title(self) -> str:
        """What the messages call it."""
        return f"{self.library.name}, {self.path}"

    def look(self, seconds: float = SECONDS) -> Condition:
        """Return what the file needs; nothing is changed.

        Raise Unavailable for what never mends itself, and sqlite3.OperationalError if others hold it for so long.
        """
        if self.backup.exists():
            return Condition.UNFINISHED
        if not self.path.exists() or (self.path.is_file() and self.path.stat().st_size == 0):
            return Condition.MISSING
        tables, version = self._schema(seconds)
        known = self.library.revisions
        if version is not None and version not in known.known:
            raise Unavailable(
                f"{self.title}: its schema, {version}, is not known to the {self.library.package} that is installed:"
                " install the version again that has made it, or put a backup in its place."
            )
        if not tables:
            return Condition.MISSING
        if version is None or any(table.startswith(UNFINISHED) for table in tables):
            return Condition.UNFINISHED
        return Condition.READY if version == known.head else Condition.OLD

    def check(self) -> None:
        """Raise Unavailable for what never mends itself; waits for nobody."""
        with suppress(sqlite3.OperationalError):  # others hold it, and what needs it waits for it
            self.look(0)

    def prepare(self) -> None:
        """Make the file, or upgrade it, unless it is ready; one process does so at a time.

        Raise as `look` does, and Unavailable if it cannot be upgraded; it is then as it was.
        """
        if self.look() is Condition.READY:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f"{self.path.name}.lock")):
            self._remove_leftovers()
            if self.backup.exists():
                if self._is_upgraded():
                    self._end_upgrade()
                else:
                    self._copy(self.backup, self.path)
                    self._upgrade()
                return
            condition = self.look()
            if condition is Condition.MISSING or (condition is Condition.UNFINISHED and self._holds_nothing()):
                self._make()
            elif condition is not Condition.READY:
                self._upgrade()

    def _remove_leftovers(self) -> None:
        """What processes that were killed have left."""
        folder = self.path.parent
        for made in folder.glob(f".{self.path.name}.made-*"):
            shutil.rmtree(made)
        for file in (self.path, self.backup):
            for temporary in folder.glob(f".{file.stem}.*.tmp{file.suffix}*"):
                temporary.unlink(missing_ok=True)

    def _make(self) -> None:
        with TemporaryDirectory(prefix=f".{self.path.name}.made-", dir=self.path.parent) as folder:
            made = Path(folder) / self.path.name
            self.library.upgrade(made)
            if self.path.exists():  # others may have it open, so that it has to stay the same file
                self._copy(made, self.path)
                return
            for rest in ("journal", "wal", "shm"):  # of a file that somebody has removed: sqlite would apply them
                self.path.with_name(f"{self.path.name}-{rest}").unlink(missing_ok=True)
            with atomic_path(self.path) as temporary:
                self._copy(made, temporary)

    def _upgrade(self) -> None:
        logger.info("%s is upgraded", self.title)
        if not self.backup.exists():
            with atomic_path(self.backup) as temporary:
                self._copy(self.path, temporary)
        try:
            self._finish_tables()
            self.library.upgrade(self.path)
            if not self._is_upgraded():
                raise RuntimeError("its schema is not the newest afterwards")
        except Exception as error:
            if is_passing(getattr(error, "orig", error)):  # SQLAlchemy's error holds sqlite's
                raise
            with suppress(sqlite3.Error):  # if somebody holds it, the next command restores it
                self._copy(self.backup, self.path)
                self.backup.unlink()
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Unavailable(
                f"{self.title}: it is of an older schema, or was left unfinished by a process that was killed, and"
                f" cannot be upgraded ({reason}): put a backup in its place, or move it away; the next command makes a"
                " new one."
            ) from error
        self._end_upgrade()

    def _end_upgrade(self) -> None:
        self.backup.replace(self.kept)

    def _is_upgraded(self) -> bool:
        tables, version = self._schema(SECONDS)
        return version == self.library.revisions.head and not any(table.startswith(UNFINISHED) for table in tables)

    def _finish_tables(self) -> None:
        """Alembic copies a table, drops the old one, and renames the copy: go back to before, or on to the end."""
        with closing(self._connect(SECONDS)) as database:
            tables = _tables(database)
            for copy in (table for table in tables if table.startswith(UNFINISHED)):
                original = copy.removeprefix(UNFINISHED)
                if original in tables:
                    database.execute(f'DROP TABLE "{copy}"')
                else:
                    database.execute(f'ALTER TABLE "{copy}" RENAME TO "{original}"')

    def _holds_nothing(self) -> bool:
        with closing(self._connect(SECONDS)) as database:
            tables = _tables(database)
            names = [name for name in self.library.records for name in (name, f"{UNFINISHED}{name}") if name in tables]
            return not any(database.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in names)

    def _schema(self, seconds: float) -> tuple[set[str], str | None]:
        """Return the names of all tables, and the schema's version."""
        try:
            with closing(self._connect(seconds)) as database:
                tables = _tables(database)
                if "alembic_version" not in tables:
                    return tables, None
                row = database.execute("SELECT version_num FROM alembic_version").fetchone()
                return tables, row and str(row[0])
        except sqlite3.DatabaseError as error:
            if is_passing(error):
                raise
            raise Unavailable(
                f"{self.title}: it cannot be read ({error}): put a backup in its place, or move it away; the next"
                " command makes a new one."
            ) from error

    def _connect(self, seconds: float) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", seconds, uri=True)

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        """Replace the content of a database, in one transaction."""
        with closing(sqlite3.connect(source, SECONDS)) as read, closing(sqlite3.connect(target, SECONDS)) as write:
            read.backup(write)


def _tables(database: sqlite3.Connection) -> set[str]:
    return {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def is_passing(error: BaseException) -> bool:
    """Whether it says that others hold the file, so that it may well succeed a little later."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
