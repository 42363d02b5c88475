"""Databases of an older schema, and processes that are killed at a statement while they make or upgrade one."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

OLD_MLFLOW, OLD_PREFECT = "400f98739977", "9e83011d1f2a"  # a year old

# Prepares one of the databases, and is killed at a statement of its library; 0 for never. Prints how many there were.
PREPARE = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine

count, killed_at = 0, int(sys.argv[3])

@event.listens_for(Engine, "before_cursor_execute")
def look(*_):
    global count
    count += 1
    if count == killed_at:
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "mlflow":
    from tasks.databases.mlflow_store import prepare_store
    from tasks.config.settings import Settings
    prepare_store(Settings.at(Path(sys.argv[2])))
else:
    os.environ["PREFECT_HOME"] = sys.argv[2] + "/state"
    from tasks.databases.prefect_database import prepare_prefect_database
    prepare_prefect_database(os.environ)
print(count)
"""
FILES = {"mlflow": "state/mlflow.db", "prefect": "state/prefect.db"}


def prepare(library: str, home: Path, killed_at: int = 0) -> int | None:
    """How many statements it took; None if it was killed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, library, str(home), str(killed_at)],
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.split()[-1])


def make_old(library: str, home: Path) -> Path:
    """Make a database of the older schema with a record in it."""
    file = home / FILES[library]
    file.parent.mkdir(parents=True, exist_ok=True)
    (_make_old_mlflow if library == "mlflow" else _make_old_prefect)(file)
    return file


def _make_old_mlflow(file: Path) -> None:
    from alembic import command
    from mlflow.store.db import utils

    engine = utils.create_sqlalchemy_engine(f"sqlite:///{file}")
    utils.InitialBase.metadata.create_all(engine)
    config = utils._get_alembic_config(str(engine.url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD_MLFLOW)
    engine.dispose()
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(
            "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time)"
            " values (1, 'test', 'nowhere', 'active', 1)"
        )
        database.execute(
            "insert into runs"
            " (run_uuid, name, experiment_id, status, lifecycle_stage, artifact_uri, user_id, start_time)"
            " values ('abc', 'an old run', 1, 'FINISHED', 'active', 'nowhere/abc', 'me', 1)"
        )
        database.execute(
            "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values ('loss', 0.5, 1, 'abc', 1, 0)"
        )


def _make_old_prefect(file: Path) -> None:
    code = f"""
import asyncio
from prefect.server.database import provide_database_interface
from prefect.server.database.alembic_commands import alembic_upgrade
from prefect.utilities.asyncutils import run_sync_in_worker_thread

asyncio.run(run_sync_in_worker_thread(alembic_upgrade, {OLD_PREFECT!r}))
"""
    environment = os.environ | {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{file}"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(
            "insert into flow (id, name, tags) values ('00000000-0000-0000-0000-000000000001', 'old', '[]')"
        )


RECORDS = {"mlflow": "select name, status from runs", "prefect": "select name from flow"}


def records(library: str, home: Path) -> list[tuple]:
    with closing(sqlite3.connect(home / FILES[library])) as database:
        return database.execute(RECORDS[library]).fetchall()
