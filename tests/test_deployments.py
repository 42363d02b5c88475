"""prefect.yaml says what `mnist up` serves."""

from pathlib import Path

import pytest
import yaml

from flows.deploy.deployments import deployments
from flows.deploy.prefect_yaml import render
from mnist_models.errors import InvalidInput
from mnist_models.recipe_catalog import choose_recipes
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


def test_new_data_is_trained_with_what_the_settings_say():
    entries = {each.name: each for each in deployments(Settings(watch_suite="notebook"))}
    assert entries["on-new-data"].parameters == {"suite": "notebook"}
    (trigger,) = entries["on-new-data"].triggers
    assert set(trigger.parameters) == {"data"}  # or a suite that the dashboard has set would not count
    with pytest.raises(InvalidInput, match=r"mlflow.yml: watch_suite: suite 'quik' does not exist: did you mean quick"):
        deployments(Settings(watch_suite="quik"))


def test_nothing_that_is_made_to_diverge_is_trained_by_itself_on_new_data():
    (entry,) = (each for each in deployments(Settings()) if each.name == "on-new-data")
    assert [each.name for each in choose_recipes(entry.parameters["suite"], ()) if each.diverges] == []


def test_without_a_schedule_there_is_none():
    (nightly,) = (each for each in deployments(Settings(schedule="")) if each.name == "nightly")
    assert nightly.schedules == []


def test_a_wrong_schedule_is_refused_with_its_key():
    with pytest.raises(InvalidInput, match=r"mlflow.yml: schedule: '0 25 \* \* \*' is not allowed"):
        deployments(Settings(schedule="0 25 * * *"))
