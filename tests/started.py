"""Servers that tests start: real ones, on the loopback address, ended with everything that they have started."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from homes import free_port

SECONDS_TO_START = 240.0
SECONDS_TO_END = 30.0


@contextmanager
def running(command: list[str], log: Path, **how) -> Iterator[subprocess.Popen]:
    """A process in a group of its own, with its output in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **how
        )
    try:
        yield process
    finally:
        for signum in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signum)
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_TO_END)


def wait_for(condition, process: subprocess.Popen, log: Path, seconds: float = SECONDS_TO_START) -> None:
    """Until the condition holds; what the process has said is in the failure."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{process.args} does not answer:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def postgresql_programs() -> Path | None:
    """The folder of the newest PostgreSQL server that is installed: Debian keeps them off the PATH."""
    debian = Path("/usr/lib/postgresql")
    found = [Path(program).parent for program in (shutil.which("initdb"),) if program]
    found += sorted(debian.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    return next((folder for folder in found if all((folder / name).exists() for name in ("initdb", "postgres"))), None)


@contextmanager
def postgresql(programs: Path, password: str, log: Path) -> Iterator[int]:
    """An empty cluster whose superuser is `postgres`; gives the port."""
    # Not in pytest's folder: that is closed to others, and PostgreSQL refuses to run as root.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        who = {}
        if os.geteuid() == 0:
            names = {each.pw_name for each in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (folder, folder / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        subprocess.run(
            [
                *(programs / "initdb", "--pgdata", folder / "data", "--username", "postgres", "--encoding", "UTF8"),
                *("--auth", "scram-sha-256", "--pwfile", folder / "password", "--no-locale", "--no-sync"),
            ],
            check=True, stdout=subprocess.DEVNULL, timeout=SECONDS_TO_START, cwd=folder, **who,
        )  # fmt: skip
        port = free_port()
        command = [programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder]
        with running([*map(str, command), "-c", "fsync=off"], log, cwd=folder, **who) as process:

            def answers() -> bool:
                with suppress(psycopg2.OperationalError):
                    psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=password).close()
                    return True
                return False

            wait_for(answers, process, log)
            yield port
