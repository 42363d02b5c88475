"""prefect.yaml says what `mnist up` serves."""

from pathlib import Path

import pytest
import yaml

from flows.deploy.deployments import deployments
from flows.deploy.prefect_yaml import render
from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings

FILE = Path(__file__).resolve().parent.parent / "prefect.yaml"


def test_the_committed_file_is_what_the_definitions_give(monkeypatch):
    monkeypatch.setenv("MLFLOW_SCHEDULE", "1 1 * * *")  # one machine's settings do not reach the file
    assert FILE.read_text() == render(), "run `make deployments` and commit prefect.yaml"


def test_the_file_says_when_and_how_each_deployment_runs():
    entries = {entry["name"]: entry for entry in yaml.safe_load(FILE.read_text())["deployments"]}
    assert set(entries) == {"nightly", "on-demand", "on-new-data", "batch"}
    assert entries["nightly"]["schedules"] == [{"cron": "0 2 * * *", "timezone": "UTC"}]
    assert entries["nightly"]["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert entries["on-new-data"]["triggers"][0]["expect"] == ["mnist.data.changed"]
    assert entries["batch"]["entrypoint"] == "flows.predict.predict_batch"


def test_a_wrong_schedule_is_refused_with_its_key():
    with pytest.raises(InvalidInput, match=r"mlflow.yml: schedule: '0 25 \* \* \*' is not allowed"):
        deployments(Settings(schedule="0 25 * * *"))
