"""A running `mnist up` in a folder of its own, as tests drive it from outside."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from homes import RECIPES, environment_of, free_port, make_home
from waiting import SECONDS, assert_gone, wait_for

# The pictures of the README's tour are better with real recipes on the real data.
FOR_THE_TOUR = bool(os.environ.get("MNIST_SCREENSHOTS"))
BIN = Path(sys.executable).parent


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
        ports = {"port": free_port(), "prefect_port": free_port()}
        self.data = make_home(home, more="".join(f"{key}: {port}\n" for key, port in ports.items()))
        self.log = home / "up.log"
        drop = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "PREFECT_API_KEY")
        self.recipes = shutil.copytree(RECIPES, home / "recipes", ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = environment_of(home, drop, HOME=str(home)) | {"MNIST_RECIPES": str(self.recipes)}
        del self.environment["PREFECT_HOME"]  # its records are the project's, as they are where nobody has chosen
        from tasks.config.settings import Settings

        self.settings = Settings.at(home, **ports)
        self.prefect_api = f"http://127.0.0.1:{self.settings.prefect_port}/api"
        self.mlflow = f"http://127.0.0.1:{self.settings.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BIN / "mnist", "up"], env=self.environment, cwd=self.home, stdout=log, stderr=subprocess.STDOUT
            )
        wait_for(lambda: self.ready() or self.process.poll() is not None)
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

        response = wait_for(answer)
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

    def wait_until_ended(self, run_id: str, seconds: float = SECONDS) -> str:
        ends = ("Completed", "Failed", "Crashed", "Cancelled")
        return wait_for(lambda: state if (state := self.state(run_id)) in ends else "", seconds, every=0.2)

    def artifacts(self, run_id: str) -> list[dict]:
        return self.ask("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> None:
        """Ctrl-C; fails if something does not end."""
        everyone = self.children()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(SECONDS / 2)
        assert_gone(everyone)

    def end(self) -> None:
        """Whatever a test has left running."""
        if self.process is None or self.process.poll() is not None:
            return
        everyone = self.children()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(SECONDS / 2)
        finally:
            assert_gone(everyone)
