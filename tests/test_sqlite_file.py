"""A library's sqlite file: whole after every kill, and what cannot be mended is told."""

import sqlite3
import threading
from contextlib import closing
from types import SimpleNamespace

import pytest

from mnist_models.errors import Unavailable
from tasks.databases.schema import Revisions, revisions_of
from tasks.databases.sqlite_file import Condition, SqliteFile


class Killed(BaseException):
    """What ends a process in between: nothing but the kernel cleans up."""


class Changes:
    """A library whose schema has two versions; `killed_at` is the number of a statement, from 1."""

    def __init__(self):
        self.killed_at, self.statements, self.broken = 0, 0, False

    def __call__(self, file):
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            for statement in self._statements(database):
                self.statements += 1
                if self.statements == self.killed_at:
                    raise Killed
                database.execute(statement)

    def _statements(self, database):
        tables = {row[0] for row in database.execute("select name from sqlite_master")}
        if "alembic_version" not in tables:
            yield "create table runs (name text)"
            yield "create table alembic_version (version_num text)"
            yield "insert into alembic_version values ('one')"
        if database.execute("select version_num from alembic_version").fetchone() == ("one",):
            if self.broken:
                raise ValueError("duplicate column name: note\nand more")
            yield "create table _alembic_tmp_runs (name text, note text)"
            yield "insert into _alembic_tmp_runs select name, 'none' from runs"
            yield "drop table runs"
            yield "alter table _alembic_tmp_runs rename to runs"
            yield "update alembic_version set version_num = 'two'"


@pytest.fixture
def changes():
    return Changes()


@pytest.fixture
def file(tmp_path, changes):
    return SqliteFile(
        SimpleNamespace(
            name="The store",
            package="library",
            records=("runs",),
            revisions=Revisions(frozenset({"one", "two"}), "two"),
            upgrade=changes,
        ),
        tmp_path / "state" / "store.db",
    )


def execute(file, *statements):
    with closing(sqlite3.connect(file.path, isolation_level=None)) as database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


@pytest.fixture
def old(file):
    """A file of the older schema, with a record."""
    file.path.parent.mkdir()
    execute(
        file,
        "create table runs (name text)",
        "create table alembic_version (version_num text)",
        "insert into alembic_version values ('one')",
        "insert into runs values ('first')",
    )
    return file


def files(file):
    return {each.name for each in file.path.parent.iterdir()} - {"store.db.lock"}


def content(file):
    with closing(sqlite3.connect(file.path)) as database:
        return [*database.iterdump()]


def records(file):
    return execute(file, "select name, note from runs")


def test_a_missing_file_is_made_once(file, changes):
    assert file.look() is Condition.MISSING
    file.prepare()
    assert file.look() is Condition.READY
    assert files(file) == {"store.db"}
    done = changes.statements
    file.prepare()
    assert changes.statements == done


@pytest.mark.parametrize("at", range(1, 9))
def test_a_kill_while_a_file_is_made_leaves_none(file, changes, at):
    changes.killed_at = at
    with pytest.raises(Killed):
        file.prepare()
    assert not file.path.exists()
    (file.path.parent / ".store.db.made-1").mkdir()  # what a real one leaves
    (file.path.parent / ".store.1.tmp.db-journal").touch()
    file.prepare()
    assert records(file) == []
    assert files(file) == {"store.db"}


def test_what_sqlite_has_left_of_a_removed_file_is_not_applied_to_the_new_one(file):
    file.path.parent.mkdir()
    for rest in ("journal", "wal", "shm"):
        file.path.with_name(f"store.db-{rest}").write_bytes(b"stale")
    file.prepare()
    assert files(file) == {"store.db"}


def test_an_older_schema_is_upgraded_and_what_there_was_is_kept(old):
    assert old.look() is Condition.OLD
    old.prepare()
    assert records(old) == [("first", "none")]
    assert files(old) == {"store.db", "store.db.before-upgrade"}


@pytest.mark.parametrize("at", range(1, 6))
def test_a_kill_during_an_upgrade_is_made_good_by_the_next(old, changes, at):
    changes.killed_at = at
    with pytest.raises(Killed):
        old.prepare()
    assert old.look() is Condition.UNFINISHED
    old.prepare()
    assert records(old) == [("first", "none")]
    assert files(old) == {"store.db", "store.db.before-upgrade"}


def test_a_kill_right_after_an_upgrade_undoes_nothing_that_came_since(old, changes, monkeypatch):
    monkeypatch.setattr(SqliteFile, "_end_upgrade", lambda _file: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        old.prepare()
    monkeypatch.undo()
    execute(old, "insert into runs values ('second', 'of a server that somebody has started')")
    old.prepare()
    assert [name for name, _ in records(old)] == ["first", "second"]


@pytest.mark.parametrize("done", range(1, 5))
def test_what_was_left_unfinished_without_a_backup_is_finished(old, changes, done):
    """As a kill under an earlier version has left it."""
    with closing(sqlite3.connect(old.path, isolation_level=None)) as database:
        for _, statement in zip(range(done), changes._statements(database), strict=False):
            database.execute(statement)
    if done == 4:  # the table is changed, and the version is not noted: nobody can tell
        changes.broken = True
        with pytest.raises(Unavailable, match="cannot be upgraded"):
            old.prepare()
        return
    old.prepare()
    assert records(old) == [("first", "none")]


def test_what_was_left_half_made_and_holds_nothing_is_made_again(file):
    file.path.parent.mkdir()
    execute(file, "create table runs (name text)", "create table _alembic_tmp_runs (name text, note text)")
    assert file.look() is Condition.UNFINISHED
    file.prepare()
    assert records(file) == []


def test_what_cannot_be_upgraded_stays_as_it_was(old, changes):
    before = content(old)
    changes.broken = True
    with pytest.raises(Unavailable, match=r"store\.db: .*\(duplicate column name: note\): put a backup"):
        old.prepare()
    assert content(old) == before
    assert files(old) == {"store.db"}


def test_a_newer_schema_is_refused_with_its_name(old):
    execute(old, "update alembic_version set version_num = 'three'")
    with pytest.raises(Unavailable, match=r"three, is not known to the library that is installed: install"):
        old.check()


def test_what_is_no_database_is_refused(file):
    file.path.parent.mkdir()
    file.path.write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="file is not a database"):
        file.check()
    file.path.unlink()
    file.path.mkdir()
    with pytest.raises(Unavailable, match="unable to open"):
        file.prepare()


def test_a_locked_file_is_no_fault(old):
    with closing(sqlite3.connect(old.path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        old.check()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            old.look(0)
    assert old.look(0) is Condition.OLD


def test_of_many_one_makes_the_file(file, changes):
    threads = [threading.Thread(target=file.prepare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert changes.statements == 8
    assert records(file) == []


@pytest.mark.parametrize(
    ("package", "folder"),
    [("mlflow", "store/db_migrations/versions"), ("prefect", "server/database/_migrations/versions/sqlite")],
)
def test_the_revisions_of_the_libraries_are_read_as_alembic_reads_them(package, folder):
    found = revisions_of(package, folder)
    assert found.head in found.known
    assert len(found.known) > 60
