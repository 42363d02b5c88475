"""What `mnist doctor` finds in variables, in the use of the machine, and in files of recipes."""

import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import flows
import mnist_models
import tasks
from mnist_models.recipe_catalog import all_recipes
from mnist_models.trainer_pool.machine import Machine, machine
from tasks.operations import environment_checks as checks
from tasks.operations.environment_checks import OURS, environment_findings

ONE = Machine("cpu", 1, "float32")


@pytest.fixture(autouse=True)
def ordinary(monkeypatch):
    """Nothing set, on two cores with 16 GB."""
    for name in [*os.environ]:
        if name.startswith(("MNIST_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(checks, "cores", lambda: 2)
    monkeypatch.setattr(checks.psutil, "virtual_memory", lambda: SimpleNamespace(total=16e9))
    monkeypatch.setattr(checks, "machine", lambda: ONE)
    all_recipes.cache_clear()
    machine.cache_clear()
    yield
    all_recipes.cache_clear()
    machine.cache_clear()


def found():
    return [tuple(each) for each in environment_findings()]


def test_nothing_is_wrong_with_an_ordinary_environment(monkeypatch):
    for name in (*OURS, "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_WORKERS"):
        if name != "MNIST_RECIPES":
            monkeypatch.setenv(name, "x")
    assert found() == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MLFLOW_ACURACY_FLOOR", "MLFLOW_ACCURACY_FLOOR"),
        ("MNIST_ACCURACY_FLOOR", "MLFLOW_ACCURACY_FLOOR"),
        ("MLFLOW_TRACKING_URL", "MLFLOW_TRACKING_URI"),
        ("MNIST_WORKER", "MNIST_WORKERS"),
        ("MLFLOW_SCHEDUL", "MLFLOW_SCHEDULE"),
        ("MNIST_RECIPE", "MNIST_RECIPES"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(monkeypatch, name, meant):
    monkeypatch.setenv(name, "0.5")
    assert found() == [(f"the variable {name} is set, but nothing reads it", f"did you mean {meant}?")]


def test_variables_of_others_are_their_business(monkeypatch):
    for name in ("MLFLOW_SOMETHING_OF_A_PLUGIN", "MNIST_SCREENSHOTS", "ACURACY_FLOOR"):
        monkeypatch.setenv(name, "x")
    assert found() == []


def test_the_list_names_every_variable_of_ours():
    text = "".join(
        file.read_text()
        for package in (flows, tasks, mnist_models)
        for file in Path(package.__file__).parent.rglob("*.py")
    )
    assert set(re.findall(r"\bMNIST_[A-Z]+\b", text)) == {name for name in OURS if name.startswith("MNIST_")}


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (replace(ONE, workers=99), ["99 trainers of 1 thread each on 2 cores wait", "99 trainers may take 59 GB"]),
        (replace(ONE, threads=16), ["1 trainer of 16 threads each on 2 cores wait"]),
        (replace(ONE, device="gpu", gpus=("0",), workers=9), ["9 trainers share the memory of 1 GPU"]),
        (replace(ONE, workers=2, threads=2), []),
        (replace(ONE, device="gpu", gpus=("0", "1"), workers=2), []),
    ],
)
def test_trainings_out_of_proportion_to_the_machine_are_named(monkeypatch, chosen, words):
    monkeypatch.setattr(checks, "machine", lambda: chosen)
    wrong = found()
    assert len(wrong) == len(words)
    for (what, remedy), expected in zip(wrong, words, strict=True):
        assert expected in what
        assert "MNIST_WORKERS" in remedy


def test_a_broken_file_of_recipes_is_named_with_line_and_reason(monkeypatch, tmp_path):
    (tmp_path / "broken_for_doctor.py").write_text("\n\nimport nothing_of_that_name\n")
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path))
    monkeypatch.setattr("mnist_models.recipes.__path__", [*mnist_models.recipes.__path__])
    ((what, remedy),) = found()
    assert what.startswith("broken_for_doctor.py cannot be loaded: line 3: ModuleNotFoundError: No module named")
    assert str(tmp_path / "broken_for_doctor.py") in remedy


def test_an_unusable_temporary_folder_is_named(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert found() == [("TMPDIR: there is no folder /nowhere", "make it, or unset the variable")]
