"""A running `mnist up` in a folder of its own, as tests drive it from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from made_data import make_dataset, write_npz

# The pictures of the README's tour are better with real recipes on the real data.
FOR_THE_TOUR = bool(os.environ.get("MNIST_SCREENSHOTS"))
BIN = Path(sys.executable).parent
SECONDS_TO_START = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what, seconds=120.0, every=0.2):
    """The first true answer of `what`, asked again and again."""
    deadline = time.monotonic() + seconds
    while (answer := what()) in (None, False, "", [], 0):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(every)
    return answer


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """One for all tests that leave it running."""
    stack = Stack(tmp_path_factory.mktemp("up"))
    if FOR_THE_TOUR:
        stack.environment.pop("MNIST_RECIPES")
    stack.start()
    yield stack
    stack.end()


class Stack:
    """`mnist up` with small recipes and made data, and other commands beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        from conftest import SMALL

        (home / "recipes").mkdir()
        (home / "recipes" / "small.py").write_text(SMALL)
        (home / "mlflow.yml").write_text(
            "experiment_name: test\nregistered_model: test-model\naccuracy_floor: 0.5\n"
            f"port: {free_port()}\nprefect_port: {free_port()}\n"
        )
        self.data = write_npz(make_dataset(classes=4, side=16, train=300, test=80), home / "data.npz")
        self.log = home / "up.log"
        drop = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "PREFECT_API_KEY")
        self.environment = {name: value for name, value in os.environ.items() if name not in drop} | {
            "HOME": str(home),
            "PREFECT_HOME": str(home / "prefect"),
            "MNIST_CONFIG": str(home / "mlflow.yml"),
            "MNIST_RECIPES": str(home / "recipes"),
            "COLUMNS": "80",
        }
        from tasks.config.settings import Settings

        self.settings = Settings.at(home, **self._ports())
        self.prefect_api = f"http://127.0.0.1:{self.settings.prefect_port}/api"
        self.mlflow = f"http://127.0.0.1:{self.settings.port}"
        self.process: subprocess.Popen | None = None

    def _ports(self) -> dict[str, int]:
        lines = [line.split(": ") for line in (self.home / "mlflow.yml").read_text().splitlines()]
        return {key: int(value) for key, value in lines if key.endswith("port")}

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BIN / "mnist", "up"], env=self.environment, cwd=self.home, stdout=log, stderr=subprocess.STDOUT
            )
        wait_for(lambda: self.ready() or self.process.poll() is not None, SECONDS_TO_START)
        assert self.process.poll() is None, self.log.read_text()[-3000:]

    def ready(self) -> bool:
        return self.settings.running.exists()

    def deployments(self) -> dict[str, dict]:
        return {f"{self._flow(each)}/{each['name']}": each for each in self.ask("deployments/filter", {})}

    def _flow(self, deployment: dict) -> str:
        return str(self.ask(f"flows/{deployment['flow_id']}")["name"])

    def ask(self, path: str, content: dict | None = None):
        """Prefect's API: GET, or POST with content. As its own client does, ask again while its database is busy."""
        method = "GET" if content is None else "POST"

        def answer():
            response = httpx.request(method, f"{self.prefect_api}/{path}", json=content, timeout=30)
            return response if response.status_code != 503 else None

        response = wait_for(answer, 30)
        response.raise_for_status()
        return response.json()

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BIN / program, *arguments],
            env=self.environment | environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def trigger(self, deployment: str, **parameters) -> str:
        """The id of a new run of a deployment."""
        found = self.deployments()[deployment]
        return str(self.ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"])

    def state(self, run_id: str) -> str:
        return str(self.ask(f"flow_runs/{run_id}")["state_name"])

    def wait_until_ended(self, run_id: str, seconds: float = 120.0) -> str:
        return wait_for(
            lambda: state if (state := self.state(run_id)) in ("Completed", "Failed", "Crashed", "Cancelled") else "",
            seconds,
        )

    def artifacts(self, run_id: str) -> list[dict]:
        return self.ask("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self, seconds: float = 30.0) -> float:
        """Ctrl-C; gives the seconds until everything has ended, and fails if something is left."""
        everyone, began = self.children(), time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(seconds)
        left = psutil.wait_procs(everyone, 2)[1]
        for process in left:
            process.kill()
        assert not left
        return time.monotonic() - began

    def end(self) -> None:
        """Whatever a test has left running."""
        if self.process is None or self.process.poll() is not None:
            return
        everyone = self.children()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        finally:
            for process in psutil.wait_procs(everyone, 2)[1]:
                process.kill()
