"""The Prefect server that a command works with: the one that is configured, or a temporary one of its own.

Prefect can start a temporary server itself, but only at the first flow and in the terminal's process group, where
Ctrl-C ends it before the flow can report its end. This one starts first, so that its 10 seconds pass beside our own
imports, has a session of its own, and lives until the command has ended.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from functools import partial

from mnist_models.errors import Unavailable
from mnist_models.processes.import_path import python_command, safe_path
from mnist_models.redaction import redacted
from tasks.config.credentials import hand_to_prefect, without_credentials
from tasks.config.settings import Settings, load_settings
from tasks.databases.prefect_database import check_prefect_database, prepare_prefect_database
from tasks.databases.prefect_home import profiles_file, server_environment
from tasks.servers.exposure import PREFECT_PASSWORD
from tasks.servers.health_check import answers, check_reachable

START_SECONDS = 180.0

# By address. The server ends when its standard input does, which is when nobody holds the process any more.
_temporary: "dict[str, subprocess.Popen[bytes]]" = {}
_of_this_project: list[str] = []


def check_configured_server() -> None:
    """Raise Unavailable, which names the variable, if the configured server does not answer or refuses us."""
    is_in_profile = not os.environ.get("PREFECT_API_URL")
    if not _configured():
        return
    try:
        check_reachable("PREFECT_API_URL", os.environ["PREFECT_API_URL"])
    except Unavailable as refusal:
        if not is_in_profile:
            raise
        where = f"it stands in your Prefect profile, {profiles_file()}, for all projects"
        what = str(refusal).replace("; start it, or unset the variable to do without", "").rstrip(".")
        raise Unavailable(
            f"{what}; {where}: start that server, or `prefect config unset PREFECT_API_URL` to do without."
        ) from None


def start_temporary_server(settings: Settings, stop_at_exit: bool = True) -> "subprocess.Popen[bytes] | None":
    """Start one and point Prefect at it, unless a server is configured or `mnist up` runs; return None then.

    Call it before Prefect is imported. Where that is too late, let `stop_at_exit` be False: the server then ends by
    itself when this process is gone.
    """
    if _configured() or _found(settings):
        return None
    environment = safe_path(os.environ | server_environment(settings))
    check_prefect_database(environment)
    command, pipe = python_command("tasks.servers.prefect_server"), subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True, env=environment)
    # Registered before Prefect's own: they run in reverse order, and Prefect's last events need the server.
    if stop_at_exit:
        atexit.register(_stop, process)
    assert process.stdout is not None
    port = process.stdout.readline().decode().strip()
    _use(f"http://127.0.0.1:{port}/api")
    _temporary[os.environ["PREFECT_API_URL"]] = process
    return process


def forget_ended_server() -> None:
    """Look for a server anew if that of `mnist up`, which an earlier call has used, has ended since."""
    api = os.environ.get("PREFECT_API_URL")
    if api in _of_this_project and not answers(f"{api}/health"):
        del os.environ["PREFECT_API_URL"]


def wait_until_ready(process: "subprocess.Popen[bytes] | None") -> None:
    """Wait until the temporary server answers, if any; raise Unavailable if it ends, or does not within 180 s."""
    if process is None:
        return
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answers(f"{os.environ['PREFECT_API_URL']}/health"):
            return
        time.sleep(0.05)
    raise Unavailable("Prefect's temporary server does not start; `mnist up` says why.")


def ui_address() -> str:
    """Return where Prefect's dashboard is, or will be after `mnist up`."""
    if "PREFECT_UI_URL" in os.environ:
        return redacted(os.environ["PREFECT_UI_URL"])
    if is_temporary():
        settings = load_settings()
        return f"http://{settings.reachable_host}:{settings.prefect_port}"
    return redacted(without_credentials(os.environ["PREFECT_API_URL"]).rstrip("/").removesuffix("/api"))


def is_temporary() -> bool:
    """Return whether the server ends with this command; `mnist up` opens its records."""
    return not os.environ.get("PREFECT_API_URL") or os.environ["PREFECT_API_URL"] in _temporary


def is_shared() -> bool:
    """Return whether other projects may use the server too: it is one that the user has named."""
    return not is_temporary() and os.environ["PREFECT_API_URL"] not in _of_this_project


def _configured() -> bool:
    """Return whether the environment or the user's Prefect profile names a server."""
    if url := os.environ.get("PREFECT_API_URL"):
        hand_to_prefect(url)
        return True
    if not profiles_file().exists():
        return False
    from prefect.settings import PREFECT_API_URL  # takes a second, and only profiles need it

    url = PREFECT_API_URL.value()
    if not url or _is_own(url):
        return False
    hand_to_prefect(url)
    return True


def _is_own(url: str) -> bool:
    """Whether a profile names the server that `mnist up` starts here, which every command finds by itself."""
    settings = load_settings()
    return url.rstrip("/") == f"http://{settings.reachable_host}:{settings.prefect_port}/api"


def _found(settings: Settings) -> bool:
    """Return whether `mnist up` runs here, and use its server if so."""
    try:
        running = json.loads(settings.running.read_text())
        api, home = str(running["prefect_api"]), str(running["home"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # A copy of a folder in which it runs has a copy of this file too.
    if home != str(settings.home) or not answers(f"{api}/health"):
        return False
    _use(api)
    if not running.get("shared"):
        _of_this_project.append(api)
    return True


def _use(api: str) -> None:
    """Point Prefect at a server on this machine, with the password that it has from our own environment, if any."""
    os.environ["PREFECT_API_URL"] = api
    if password := os.environ.get(PREFECT_PASSWORD):
        os.environ.setdefault("PREFECT_API_AUTH_STRING", password)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _serve() -> None:
    """Run the server: print its port, and end when standard input does, which is when the parent dies."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    os.dup2(2, 1)
    os.environ["PREFECT_UI_ENABLED"] = "0"
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import PREFECT_API_DATABASE_MIGRATE_ON_START, temporary_settings

    app = partial(create_app, ephemeral=True, final=True)
    server = uvicorn.Server(uvicorn.Config(app, factory=True, log_level="error", lifespan="on"))

    def end_with_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    # A database that is made here needs no second look by the server.
    with temporary_settings({PREFECT_API_DATABASE_MIGRATE_ON_START: not prepare_prefect_database(os.environ)}):
        server.run(sockets=[listening])


if __name__ == "__main__":
    _serve()
