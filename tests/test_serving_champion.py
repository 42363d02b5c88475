"""`mlflow models serve` on the champion, asked as another program would ask it."""

import base64
import json
import re
import subprocess

import httpx
import numpy as np
import pytest
from made_data import make_dataset
from PIL import Image
from served import serving

from mnist_models.evaluation.temperature import tempered

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(trained):
    with serving(trained) as url:
        yield url


@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_the_champion_answers_with_the_right_digits(served, trained, key):
    made = make_dataset(classes=4, side=16, train=300, test=80)
    answer = httpx.post(f"{served}/invocations", json={key: made.x_test.tolist()}, timeout=120)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["predictions"]
    probabilities = np.array([row["probabilities"] for row in rows])
    assert probabilities.shape == (80, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    version = champion(trained)
    expected = tempered(recorded(trained, version), float(version.tags["temperature"]))
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    labels = np.array([row["label"] for row in rows])
    assert np.mean(labels == made.y_test) >= 0.75
    assert [row["name"] for row in rows] == [str(label) for label in labels]
    assert [row["probability"] for row in rows] == probabilities.max(axis=1).tolist()


def test_the_commands_on_the_versions_page_get_an_answer_about_a_png(served, trained, tmp_path):
    made = make_dataset(classes=4, side=16, train=300, test=80)
    Image.fromarray(made.x_test[0]).resize((320, 320)).save(tmp_path / "photo.png")
    serve, ask = (line.strip() for line in champion(trained).description.splitlines() if line.startswith("    "))
    assert serve.startswith("mlflow models serve -m models:/test-model/")
    command = ask.replace("http://127.0.0.1:5001", served)
    assert command != ask
    answer = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    (row,) = json.loads(answer.stdout)["predictions"]
    assert row["problem"] is None
    assert row["name"] == str(row["label"])
    assert row["probability"] == max(row["probabilities"])


def test_a_table_of_files_gets_an_answer_each_and_paths_are_not_read(served, tmp_path):
    file = tmp_path / "photo.png"
    Image.fromarray(make_dataset(side=16).x_test[0]).save(file)
    images = [base64.b64encode(file.read_bytes()).decode(), base64.b64encode(b"no image").decode(), str(file)]
    table = {"columns": ["image"], "data": [[image] for image in images]}
    answer = httpx.post(f"{served}/invocations", json={"dataframe_split": table}, timeout=120)
    assert answer.status_code == 200, answer.text
    good, bad, path = answer.json()["predictions"]
    assert good["problem"] is None
    assert bad["label"] is path["label"] is None
    assert "is not an image" in bad["problem"]
    assert "must be an image file in base64" in path["problem"]
    asked = {"inputs": [str(file)], "params": {"read_paths": True}}
    answer = httpx.post(f"{served}/invocations", json=asked, timeout=120)
    assert answer.json()["predictions"] == [path]


def champion(trained):
    return store_client(trained).get_model_version_by_alias("test-model", "champion")


def store_client(trained):
    from mlflow import MlflowClient

    store = f"sqlite:///{trained}/state/mlflow.db"
    return MlflowClient(store, registry_uri=store)


def recorded(trained, version):
    """What the pipeline noted as the champion's predictions for the test images, float32 [n, classes]."""
    file = store_client(trained).download_artifacts(version.run_id, "predictions.npz", str(trained))
    with np.load(file) as arrays:
        return arrays["test"]


WRONG = {
    "another size": ({"inputs": np.zeros((1, 28, 28), int).tolist()}, r"shape \[n, 16, 16\], but have \[1, 28, 28\]"),
    "no batch": ({"inputs": "AAAA"}, "give a batch"),
    "no image": ({"inputs": [None]}, "number 0 must be"),
    "no numbers": ({"inputs": [[["a"] * 16] * 16]}, "some are no numbers"),
    "another column": ({"dataframe_split": {"columns": ["x"], "data": [["AAAA"]]}}, "missing inputs .'image'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_malformed_is_refused_with_a_reason(served, wrong):
    body, message = WRONG[wrong]
    answer = httpx.post(f"{served}/invocations", json=body, timeout=120)
    assert answer.status_code == 400
    assert re.search(message, answer.json()["message"])
    assert "Traceback" not in answer.text
