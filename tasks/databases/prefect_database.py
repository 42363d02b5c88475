"""Prefect's database, if it is a sqlite file of a server that we start: whether it can be used, and made ready."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tasks.databases.prefect_home import profile
from tasks.databases.sqlite_file import Library, SqliteFile

PREFIX = "sqlite+aiosqlite:///"
VARIABLES = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")


def prefect_database(environment: Mapping[str, str]) -> SqliteFile | None:
    """Return the file that a server with these variables uses; None for another kind of database."""
    given = profile() | {name: value for name, value in environment.items() if value}
    home = Path(given.get("PREFECT_HOME", "~/.prefect")).expanduser()
    url = str(next((given[name] for name in VARIABLES if name in given), f"{PREFIX}{home}/prefect.db"))
    path = url.removeprefix(PREFIX).partition("?")[0]
    return SqliteFile(_PREFECT, Path(path)) if url.startswith(PREFIX) and ":memory:" not in path else None


def check_prefect_database(environment: Mapping[str, str]) -> None:
    """Raise Unavailable if the database can never be used as it is. Imports no Prefect, and waits for nobody."""
    database = prefect_database(environment)
    if database is not None:
        database.check()


def prepare_prefect_database(environment: Mapping[str, str]) -> bool:
    """Make the database, or upgrade it from an older schema; return whether a server needs no migration any more.

    Raise Unavailable if it can never be used as it is.
    """
    database = prefect_database(environment)
    if database is None:
        return False
    database.prepare()
    return True


def _upgrade(file: Path) -> None:
    from prefect.server.database.configurations import AioSqliteConfiguration
    from prefect.server.database.dependencies import provide_database_interface, temporary_database_config

    async def migrate() -> None:
        database = provide_database_interface()
        await database.create_db()
        await (await database.engine()).dispose()

    with temporary_database_config(AioSqliteConfiguration(connection_url=f"{PREFIX}{file}")):
        asyncio.run(migrate())


_PREFECT = Library(
    "Prefect's database",
    package="prefect",
    migrations="server/database/_migrations/versions/sqlite",
    records=("flow_run", "deployment", "automation", "block_document", "variable", "work_pool"),
    upgrade=_upgrade,
)
