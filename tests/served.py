"""`mlflow models serve` on the champion of a project."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
from homes import free_port
from waiting import wait_for


@contextmanager
def serving(home):
    """The address of the champion of the project in `home`, served by MLflow's own command."""
    port = free_port()
    command = ["mlflow", "models", "serve", "-m", "models:/test-model@champion", "--env-manager", "local"]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{home}/state/mlflow.db",
        "MLFLOW_REGISTRY_URI": f"sqlite:///{home}/state/mlflow.db",  # which MLflow may have set in this process
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # `mlflow` calls uvicorn by its name
    }
    log = home / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(url) or process.poll() is not None)
        assert process.poll() is None, log.read_text()[-3000:]
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # uvicorn, its child, as well
        process.wait(60)


def answers(url):
    try:
        return httpx.get(f"{url}/ping", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
