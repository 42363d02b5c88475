"""What is wrong with this machine, and what to do about it."""

import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import starmap
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.requirements import Requirement

from mnist_models.errors import InvalidInput, Unavailable
from tasks.config.settings import Settings
from tasks.flow_run.stale_runs import stale_records
from tasks.flow_run.unsent_requests import unsent_requests
from tasks.operations.environment_checks import environment_findings
from tasks.operations.finding import Finding
from tasks.operations.store_checks import wrong_records
from tasks.servers.health_check import answers
from tasks.servers.ports import check_port_free
from tasks.servers.prefect_server import check_configured_server

SOURCE = Path(__file__).resolve().parents[2]
LEAST_FREE_GB = 2.0
PROJECT = "mnist-pipeline"


def findings(settings: Settings) -> list[Finding]:
    """Everything that is wrong; nothing is changed by looking."""
    return [
        *_disk(settings),
        *_ports(settings),
        *_versions(),
        *starmap(Finding, wrong_records(settings)),
        *_servers(settings),
        *_left_over(settings),
        *environment_findings(),
    ]


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = next(each for each in (settings.state, *settings.state.parents) if each.exists())
    free = shutil.disk_usage(folder).free / 1e9
    if free < LEAST_FREE_GB:
        yield Finding(
            f"the disk of {folder} has {free:.1f} GB left, and less than {LEAST_FREE_GB:.0f} GB may not suffice",
            "remove what is not needed, such as run directories in state/runs whose names end in ~ and a number",
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    lock = settings.state / "up.lock"
    if lock.exists():
        try:
            with FileLock(lock, timeout=0):
                pass
        except Timeout:  # `mnist up` runs, and the ports are its own
            return
    for setting, port in (("port", settings.port), ("prefect_port", settings.prefect_port)):
        try:
            check_port_free(settings.host, setting, port)
        except InvalidInput as refusal:
            what, _, remedy = str(refusal).partition("; ")
            yield Finding(f"`mnist up` cannot start: {what}", remedy.rstrip("."))


def _versions() -> Iterator[Finding]:
    """The packages that we name, against the lock file, or without one against what we ask for."""
    try:
        direct = [Requirement(each) for each in requires(PROJECT) or []]
    except PackageNotFoundError:
        yield Finding(f"{PROJECT} is not installed, so that its requirements are not known", "pip install -e .")
        return
    locked = _locked()
    for each in direct:
        if each.marker and not each.marker.evaluate({"extra": ""}):
            continue
        tested = locked.get(each.name.lower(), each).specifier
        try:
            installed = version(each.name)
        except PackageNotFoundError:
            installed = "nothing"
        if installed == "nothing" or not tested.contains(installed, prereleases=True):
            what = f"{each.name}: {installed} is installed, and {str(tested).removeprefix('==')} is tested"
            yield Finding(what, "pip install --no-deps --require-hashes -r requirements.lock")


def _locked() -> dict[str, Requirement]:
    lock = SOURCE / "requirements.lock"
    if not lock.is_file():
        return {}
    lines = (line.rstrip(" \\") for line in lock.read_text().splitlines() if line[:1].isalnum() and "==" in line)
    return {each.name.lower(): each for each in map(Requirement, lines) if not each.marker or each.marker.evaluate()}


def _servers(settings: Settings) -> Iterator[Finding]:
    if settings.served and not answers(settings.resolved_tracking_uri):
        remedy = "start it, or unset the variable to do without"
        yield Finding("MLFLOW_TRACKING_URI: no server answers there", remedy)
    try:
        check_configured_server()
    except Unavailable as refusal:
        what, _, remedy = str(refusal).rstrip(".").partition("; ")
        yield Finding(what, remedy)


def _left_over(settings: Settings) -> Iterator[Finding]:
    died = [record for record in stale_records(settings) if not record.ended]
    if died:
        count = "a flow run has" if len(died) == 1 else f"{len(died)} flow runs have"
        yield Finding(
            f"{count} died and may still be shown as running: {', '.join(each.flow_run_id for each in died)}",
            "nothing: the next `mnist train` closes them and goes on where they stopped",
        )
    for unsent in unsent_requests(settings):
        title = ", ".join(unsent.request["recipes"]) or unsent.request["suite"]
        yield Finding(f"MLflow does not have all of {title}: {unsent.unsent}", "mnist sync")
