"""The main job as it is used: `mnist train` on the real MNIST, with servers of its own, then again, then `predict`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_models.data.official.load import cache_folder, load_official

BIN = Path(sys.executable).parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder that has seen nothing, but for the data, which is fetched once for all tests."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "mlflow.yml").write_text("experiment_name: mnist\n")
    return folder


def mnist(place, *arguments):
    environment = os.environ | {
        "HOME": str(place / "home"),
        "PREFECT_HOME": str(place / "prefect"),
        "MNIST_CACHE": str(cache_folder()),
        "MNIST_CONFIG": str(place / "mlflow.yml"),
        "COLUMNS": "80",
    }
    for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
        environment.pop(name, None)
    return subprocess.run(
        [BIN / "mnist", *arguments], cwd=place, env=environment, capture_output=True, text=True, timeout=500
    )


@pytest.fixture(scope="module")
def first(place):
    result = mnist(place, "train", "--summary", "summary.json")
    assert result.returncode == 0, result.stdout + result.stderr
    return result, json.loads((place / "summary.json").read_text())


def test_the_quick_suite_ends_with_a_champion_that_beats_the_notebook(first):
    result, summary = first
    rows = {row["recipe"]: row for row in summary["recipes"]}
    assert {row["status"] for row in rows.values()} == {"finished"}
    assert rows["softmax_regression"]["test_accuracy"] >= 0.905
    assert rows["relu_dropout_stable"]["test_accuracy"] >= 0.958
    assert rows["batchnorm_tanh"]["test_accuracy"] >= 0.96
    assert rows["fast_conv_net"]["test_accuracy"] >= 0.993
    assert summary["champion"]["recipe"] == "fast_conv_net"
    assert summary["champion"]["test_accuracy"] == rows["fast_conv_net"]["test_accuracy"]
    assert summary["decision"]["promoted"]
    for recipe in rows:
        assert f"{recipe}: finished" in result.stdout  # live
    assert "mnist up\n" in result.stdout
    assert f"/runs/{summary['mlflow_run_id']}" in result.stdout
    assert summary["flow_run_id"] in result.stdout
    assert result.stderr == ""


def test_again_it_reuses_everything(first, place):
    result = mnist(place, "train", "--summary", "again.json")
    assert result.returncode == 0
    again = json.loads((place / "again.json").read_text())
    assert {row["status"] for row in again["recipes"]} == {"reused"}
    assert not again["decision"]["promoted"]
    assert "it is the champion already" in " ".join(result.stdout.split())
    assert again["champion"] == first[1]["champion"]


def test_the_champion_reads_photos(first, place):
    data = load_official()
    files = []
    for number in range(20):
        # Dark ink on light paper, larger, off the centre: nothing like the data set.
        photo = 235 - np.kron(data.x_test[number], np.ones((7, 7), np.uint8)) // 2
        photo = np.pad(photo, ((20, 90), (150, 10)), constant_values=235).astype(np.uint8)
        files.append(str(place / f"photo {number}.jpg"))
        Image.fromarray(photo).save(files[-1], quality=85)
    result = mnist(place, "predict", "--json", *files)
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [row["file"] for row in rows] == files
    assert sum(row["label"] == data.y_test[number] for number, row in enumerate(rows)) >= 19
    table = mnist(place, "predict", files[0]).stdout
    assert "photo 0.jpg" in table
    assert "runner-up" in table
