"""`mlflow models serve` on the champion, asked as another program would ask it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from homes import free_port
from made_data import make_dataset
from waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(trained):
    """The address of the champion, served by MLflow's own command."""
    port = free_port()
    command = ["mlflow", "models", "serve", "-m", "models:/test-model@champion", "--env-manager", "local"]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{trained}/state/mlflow.db",
        "MLFLOW_REGISTRY_URI": f"sqlite:///{trained}/state/mlflow.db",  # which MLflow may have set in this process
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # `mlflow` calls uvicorn by its name
    }
    log = trained / "serve.log"
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


@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_the_champion_answers_with_the_right_digits(served, trained, key):
    made = make_dataset(classes=4, side=16, train=300, test=80)
    answer = httpx.post(f"{served}/invocations", json={key: made.x_test.tolist()}, timeout=120)
    assert answer.status_code == 200, answer.text
    probabilities = np.array(answer.json()["predictions"])
    assert probabilities.shape == (80, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == made.y_test) >= 0.75
    np.testing.assert_allclose(probabilities, recorded(trained), atol=1e-5)


def recorded(trained):
    """What the pipeline noted as the champion's predictions for the test images, float32 [n, classes]."""
    from mlflow import MlflowClient

    store = f"sqlite:///{trained}/state/mlflow.db"
    client = MlflowClient(store, registry_uri=store)
    run = client.get_model_version_by_alias("test-model", "champion").run_id
    file = client.download_artifacts(run, "predictions.npz", str(trained))
    with np.load(file) as arrays:
        return arrays["test"]


def test_images_of_another_size_are_refused(served):
    answer = httpx.post(f"{served}/invocations", json={"inputs": np.zeros((1, 28, 28), int).tolist()}, timeout=120)
    assert answer.status_code == 400
    assert "16" in answer.text
