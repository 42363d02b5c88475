"""`mnist up`: both servers and the process that serves the deployments, together until Ctrl-C."""

import os
import shlex
import socket
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout
from honcho.manager import Manager
from rich.console import Console

from mnist_models.errors import InvalidInput, Unavailable
from tasks.environment import set_defaults
from tasks.reachable import wait_until_answers
from tasks.settings import Settings, load_settings

SECONDS_TO_START = 180.0
FLOWS = "flows"


class _Together(Manager):  # type: ignore[misc]
    """Ends the flows first, while both servers still hear from them what has become of their runs."""

    def terminate(self) -> None:
        """Called at Ctrl-C, and again when a process has ended."""
        running = [name for name, process in self._processes.items() if "returncode" not in process]
        for name in {FLOWS} & {*running} or running:
            self._procmgr.terminate(self._processes[name]["pid"])


def run_up() -> int:
    """Start everything, say where it is, and wait; gives the exit status."""
    settings = load_settings()
    set_defaults()
    settings.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.state / "up.lock", timeout=0):
            return _run(settings)
    except Timeout:
        raise Unavailable(f"`mnist up` runs already for {settings.home}; end that one first with Ctrl-C.") from None


def _run(settings: Settings) -> int:
    for setting, port in (("port", settings.port), ("prefect_port", settings.prefect_port)):
        _check_free(settings.host, setting, port)
    manager = _Together()
    for name, (command, environment) in _processes(settings).items():
        manager.add_process(name, f"exec {shlex.join(command)}", env=os.environ | environment)
    threading.Thread(target=_announce, args=(settings,), daemon=True).start()
    manager.loop()
    return int(manager.returncode or 0)


def _check_free(host: str, setting: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInput(
                f"mlflow.yml: {setting}: {host}:{port} cannot be used ({error.strerror}); end what listens there, or"
                f" choose another with MLFLOW_{setting.upper()}."
            ) from None


def _processes(settings: Settings) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment of each process."""
    prefect_api = f"http://{settings.host}:{settings.prefect_port}/api"
    return {
        "prefect": (
            [_program("prefect"), "server", "start", "--host", settings.host, "--port", str(settings.prefect_port)],
            {"PREFECT_SERVER_UI_API_URL": prefect_api},
        ),
        "mlflow": (
            [_program("mlflow"), "server", "--host", settings.host, "--port", str(settings.port), "--workers", "1"],
            # Not an argument, which every user of the machine could read.
            {"MLFLOW_BACKEND_STORE_URI": settings.resolved_tracking_uri},
        ),
        FLOWS: ([sys.executable, "-m", "flows.serve"], {"PREFECT_API_URL": prefect_api, "PYTHONUNBUFFERED": "1"}),
    }


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _announce(settings: Settings) -> None:
    """Wait until both servers really answer, then say where they are and what to click."""
    prefect, mlflow = (f"http://{settings.host}:{port}" for port in (settings.prefect_port, settings.port))
    if not all(wait_until_answers(url, SECONDS_TO_START) for url in (f"{prefect}/api/health", f"{mlflow}/health")):
        return
    console = Console()
    console.print(f"\nPrefect: {prefect}/deployments (train/on-demand, Run, Custom run)", highlight=False)
    console.print(f"MLflow:  {mlflow}", highlight=False)
    console.print("Ctrl-C ends both, and what is training.\n", highlight=False)
