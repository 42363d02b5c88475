"""`mnist up`: both servers and the process that serves the deployments, until Ctrl-C."""

import os
import shlex
import signal
import threading
import time
from contextlib import nullcontext, suppress
from sysconfig import get_path

from filelock import FileLock, Timeout
from honcho.manager import Manager

from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.processes.import_path import python_command, safe_path
from mnist_models.processes.temporary_folder import check_temporary_folder
from mnist_models.screen import Screen
from tasks.config.library_defaults import program, set_defaults
from tasks.config.settings import Settings, load_settings
from tasks.databases.mlflow_store import prepare_store
from tasks.databases.prefect_database import prepare_prefect_database
from tasks.databases.prefect_home import server_environment
from tasks.databases.start_checks import check_records
from tasks.servers.exposure import PREFECT_PASSWORD, check_exposure, mlflow_asks_for_password
from tasks.servers.health_check import check_reachable, wait_until_answers
from tasks.servers.ports import check_port_free
from tasks.servers.prefect_server import check_configured_server
from tasks.tracking.links import experiment_link, mlflow_address
from tasks.tracking.tracker import Tracker

SECONDS_TO_START = 180.0
# What `mlflow server` would take from the environment, and no longer be where or what we look for.
OTHER_SERVERS = ("MLFLOW_STATIC_PREFIX", "MLFLOW_ARTIFACTS_ONLY", "MLFLOW_GUNICORN_OPTS")
FLOWS = "flows"


class _Supervisor(Manager):  # type: ignore[misc]
    """Ends the flows first, so that their runs can still report to both servers how they ended."""

    interrupted = False
    first_to_end = ""

    def add(self, name: str, arguments: list[str], **variables: str) -> None:
        self.add_process(name, f"exec {shlex.join(arguments)}", env=safe_path(os.environ | variables))

    def terminate(self) -> None:
        """End what runs; honcho calls it at Ctrl-C, and again when a process has ended."""
        ended = [name for name, process in self._processes.items() if "returncode" in process]
        if not ended:
            self.interrupted = True
        elif not self.interrupted and not self.first_to_end:
            self.first_to_end = ended[0]
        running = [name for name in self._processes if name not in ended]
        for name in {FLOWS} & {*running} or running:
            with suppress(ProcessLookupError, PermissionError):  # it ends just now; macOS says the second
                os.killpg(self._processes[name]["pid"], signal.SIGTERM)

    def first_status(self) -> int:
        """Return the exit status of the process that ended first."""
        return int(self._processes[self.first_to_end]["returncode"])


def run_up(host: str = "") -> int:
    """Start everything, print where it is, and wait; return the exit status."""
    if host:
        os.environ["MLFLOW_HOST"] = host
    settings = load_settings()
    check_temporary_folder()
    set_defaults()
    check_exposure(settings.host)
    from flows.deploy.claim import claimed  # not before the defaults are set
    from flows.deploy.deployments import deployments

    deployments(settings)
    check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
    check_configured_server()
    check_records(settings)
    settings.state.mkdir(parents=True, exist_ok=True)
    _make_watched_folder(settings)
    shared = bool(os.environ.get("PREFECT_API_URL"))  # whoever names a server may not be alone there
    try:
        with FileLock(settings.state / "up.lock", timeout=0), claimed(settings) if shared else nullcontext():
            return _run(settings)
    except Timeout:
        raise Unavailable(f"`mnist up` runs already for {settings.home}; end that one first with Ctrl-C.") from None


def _make_watched_folder(settings: Settings) -> None:
    try:
        settings.watched.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"mlflow.yml: watch: {settings.watched} cannot be made ({error.strerror}).") from None


def _run(settings: Settings) -> int:
    host, manager = settings.host, _Supervisor()
    shared = os.environ.get("PREFECT_API_URL")
    api = shared or f"http://{settings.reachable_host}:{settings.prefect_port}/api"
    if not settings.served:
        check_port_free(host, "port", settings.port)
        prepare_store(settings)
        manager.add(
            "mlflow",
            [
                *(program("mlflow"), "server", "--host", host, "--port", str(settings.port), "--workers", "1"),
                # Not a line for each request; and modules from where Python looks first anyway, instead of from the
                # current folder.
                *("--uvicorn-opts", f"--log-level warning --app-dir {shlex.quote(get_path('stdlib'))}"),
                *(["--app-name", "basic-auth"] if mlflow_asks_for_password() else []),
            ],
            MLFLOW_BACKEND_STORE_URI=settings.resolved_tracking_uri,  # not an argument: it may hold a password
            PYTHONWARNINGS="ignore",  # they concern MLflow's own code
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",  # for language models: seven idle processes
            **dict.fromkeys(OTHER_SERVERS, ""),
        )
    if not shared:
        check_port_free(host, "prefect_port", settings.prefect_port)
        lasting = python_command("tasks.servers.lasting_server")
        prepare_prefect_database(os.environ | server_environment(settings))
        manager.add(
            "prefect",
            [*lasting, "--host", host, "--port", str(settings.prefect_port)],
            PREFECT_SERVER_UI_API_URL=api,
            # The leases of trainer slots survive a restart of the server, and expire if their holders have died.
            PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE="prefect.server.concurrency.lease_storage.filesystem",
            **server_environment(settings),
        )
    password = os.environ.get(PREFECT_PASSWORD)
    credentials = {"PREFECT_API_AUTH_STRING": password} if password else {}
    command = [*python_command("flows.deploy.runner"), *(["--shared"] if shared else [])]
    manager.add(FLOWS, command, PREFECT_API_URL=api, PYTHONUNBUFFERED="1", **credentials)
    settings.running.unlink(missing_ok=True)
    threading.Thread(target=_announce, args=(settings, api), daemon=True).start()
    try:
        manager.loop()
    finally:
        settings.running.unlink(missing_ok=True)
    if manager.first_to_end:
        raise Unavailable(
            f"{manager.first_to_end} ended with status {manager.first_status()}, and the others were ended with it; its"
            " last lines above say why, and `mnist up` starts them again."
        )
    return 0


def _announce(settings: Settings, api: str) -> None:
    """Wait until both servers answer, then print where they are and what to click."""
    mlflow = mlflow_address(settings)
    for name, url in (("Prefect", f"{api}/health"), ("MLflow", f"{mlflow}/health")):
        if not wait_until_answers(url, SECONDS_TO_START):
            Screen(stderr=True).print(f"mnist: {name} does not answer at {url}.", highlight=False)
            return
    while not settings.running.exists():  # `flows.deploy.runner` writes it when the deployments are there
        time.sleep(0.2)
    try:
        page = experiment_link(mlflow, Tracker(settings).experiment_id)
    except Exception:  # the address alone will do, and its page says what is wrong
        page = mlflow
    lines = (
        f"\nPrefect: {api.removesuffix('/api')}/deployments",
        "         train/on-demand, then Run, Custom run: choose what to train",
        f"MLflow:  {page}",
        "         the newest comparison first; open it with +, mark two runs, then Compare",
        "         (its bare address opens on GenAI: choose Model training, top left)",
        "Ctrl-C ends everything, what is training included.\n",
    )
    Screen().print(*lines, sep="\n", highlight=False, soft_wrap=True)
