"""What the tasks of one flow run share."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from getpass import getuser
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from mnist_models.figures.renderer import Renderer
from mnist_models.redaction import redact_logs
from mnist_models.trainer_pool.machine import Machine, machine
from mnist_models.trainer_pool.pool import TrainerPool
from tasks.config.settings import Settings, load_settings
from tasks.flow_run.leisure import Leisure
from tasks.flow_run.progress import Display
from tasks.tracking.tracker import Tracker

SOURCE = Path(__file__).resolve().parents[2]

_warm: list[TrainerPool] = []


class Session:
    """Handed to every task. It is not a dataclass, so that Prefect does not look into it for futures."""

    def __init__(
        self, settings: Settings, machine: Machine, pool: TrainerPool, drawer: Renderer, display: Display
    ) -> None:
        self.settings, self.machine, self.display = settings, machine, display
        self.pool, self.drawer = pool, drawer
        self.tracker = Tracker(settings)
        self.leisure = Leisure(pool)
        self.open_parent: Callable[[], str] = str  # set by tasks/flow_run/parent_run.py
        self.open_runs: set[str] = set()  # trainings' runs that no task has ended yet
        self.renewed: set[str] = set()  # identities that --force has already set aside

    @property
    def parent_run_id(self) -> str:
        """The MLflow run of the whole flow run, which is opened when it is first needed."""
        return self.open_parent()

    @property
    def runs(self) -> Path:
        """The folder of run directories."""
        return self.settings.runs


@contextmanager
def open_session() -> Iterator[Session]:
    """Everything that a flow run needs, for as long as it runs; its trainer processes end with it."""
    redact_logs()
    from prefect import runtime  # not before a temporary server has been started for it

    for package in ("flows", "tasks", "mnist_models"):  # Prefect would pass on their warnings only
        logging.getLogger(package).setLevel(logging.INFO)
    settings = load_settings()
    logs = settings.state / "logs"
    pool = _warm.pop() if _warm else TrainerPool(machine(), logs)
    # A run of a deployment has Prefect's log on its screen already.
    console = Console(quiet=runtime.deployment.id is not None)
    with pool, Renderer(logs) as drawer, Display(console).shown() as display:
        yield Session(settings, machine(), pool, drawer, display)


@contextmanager
def trainers_started_early(settings: Settings, count: int) -> Iterator[None]:
    """Start trainer processes for the session that is opened inside, so that their imports overlap with Prefect's."""
    with TrainerPool(machine(), settings.state / "logs") as pool:
        pool.start(count)
        _warm.append(pool)
        try:
            yield
        finally:
            _warm.clear()


@cache
def code_tags() -> dict[str, str]:
    """Who runs which code: the commit and the lock file, as far as they can be told."""
    tags = {"mlflow.source.name": "mnist train", "mlflow.source.type": "LOCAL"}
    with suppress(OSError, KeyError):  # a container's user may have no name
        tags["mlflow.user"] = getuser()
    git = ["git", "-C", str(SOURCE), "rev-parse", "HEAD"]
    with suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(git, capture_output=True, text=True, check=True, timeout=10)
        tags["mlflow.source.git.commit"] = answer.stdout.strip()
    lock = SOURCE / "requirements.lock"
    if lock.is_file():
        tags["lock_digest"] = sha256(lock.read_bytes()).hexdigest()
    return tags
