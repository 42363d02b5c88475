"""What the environment of a user can hold, and may not change: weights, what tasks do; and what is said at once."""

import json
import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest
from made_data import make_dataset
from test_cli import mnist_here

from mnist_models.data.arrays import save_arrays
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.processes import temporary_folder
from mnist_models.processes.temporary_folder import check_temporary_folder
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer_pool.machine import Machine
from mnist_models.trainer_pool.pool import TrainerPool
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.run_directory import RunDirectory
from tasks.config.library_defaults import set_defaults

pytestmark = pytest.mark.fault(26)

ONE = Machine("cpu", 1, "float32")
ODD_KERAS = {"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}


@pytest.mark.long
@pytest.mark.slow
def test_the_users_settings_of_keras_change_no_weight_and_no_identity(tmp_path, small_recipes, monkeypatch):
    data = save_arrays(make_dataset(classes=4, side=16, train=300, test=80), tmp_path / "data")
    recipe, home = find_recipe("small_conv"), tmp_path / "home"
    predictions, conditions = [], []
    for name in ("plain", "odd", "damaged"):
        if name != "plain":
            (home / ".keras").mkdir(parents=True, exist_ok=True)
            (home / ".keras" / "keras.json").write_text(json.dumps(ODD_KERAS) if name == "odd" else '{"floatx": "no"}')
            monkeypatch.setenv("HOME", str(home))
            monkeypatch.setenv("KERAS_HOME", str(home / ".keras"))
        conditions.append(ONE.conditions(recipe))
        directory = RunDirectory(tmp_path / name)
        directory.write_recipe(recipe)
        with TrainerPool(ONE, tmp_path / "logs") as pool, pool.slot() as slot:
            slot.run(TrainJob(directory.path, 0, data, "float32"))
        predictions.append(directory.predictions().test.tobytes())
    assert len(set(predictions)) == 1
    assert len(set(conditions)) == 1


UNUSUAL = {
    "PREFECT_TASKS_DEFAULT_RETRIES": "3",
    "PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS": "600",
    "PREFECT_FLOWS_DEFAULT_RETRIES": "2",
    "PREFECT_TASKS_DEFAULT_PERSIST_RESULT": "true",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
}
TELL = """
import importlib, json, pkgutil
from prefect import Flow, Task
import flows.deploy.deployments, tasks
found = {}
modules = [importlib.import_module(f"{package.__name__}.{each.name}") for package in (flows, tasks)
           for each in pkgutil.iter_modules(package.__path__) if not each.ispkg and each.name != "__main__"]
for module in modules:
    for name, value in vars(module).items():
        if isinstance(value, (Flow, Task)):
            kind = type(value).__name__
            found[f"{kind} {name}"] = value.retries, value.retry_delay_seconds, value.persist_result
print(json.dumps(found))
"""


@pytest.mark.slow
def test_prefects_defaults_do_not_change_what_tasks_and_flows_do():
    told = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", TELL], env=os.environ | more, capture_output=True, text=True, check=True
            ).stdout
        )
        for more in ({}, UNUSUAL)
    ]
    for values in told:
        for kept in values.values():
            kept[1] = kept[1] if kept[0] else 0  # a pause between tries does not matter where there is one try
    assert told[0] == told[1]
    assert len(told[0]) > 10
    assert not any(persists for _, _, persists in told[0].values())


def test_mlflow_records_what_it_is_given_at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    set_defaults()
    assert os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] == "false"
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"  # how long to wait is the user's business


def test_a_place_for_results_that_only_another_server_knows_is_not_looked_for(monkeypatch):
    for name in ("PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK", "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK"):
        monkeypatch.setenv(name, "s3/ours")
    set_defaults()
    code = "from prefect.settings import get_current_settings as s; print(s().results.default_storage_block)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.slow
def test_another_registry_is_not_asked_for_our_models(store, monkeypatch):
    from mlflow import get_registry_uri

    from tasks.config.settings import load_settings
    from tasks.tracking.tracker import Tracker

    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    settings = load_settings()
    assert Tracker(settings).client._registry_uri == settings.resolved_tracking_uri == get_registry_uri()


@pytest.fixture
def no_choice_yet(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)  # Python looks once


@pytest.mark.usefixtures("no_choice_yet")
def test_a_temporary_folder_that_cannot_be_used_is_one_sentence(tmp_path, monkeypatch):
    check_temporary_folder()
    (tmp_path / "file").write_text("")
    for folder, words in (
        (tmp_path / "none", "TMPDIR: there is no folder .*none; make it, or unset the variable"),
        (tmp_path / "file", r"TMPDIR: .*file cannot take temporary files \(Not a directory\); name another folder"),
        ("/proc", "TMPDIR: "),  # which nobody can write to, not even root
    ):
        monkeypatch.setenv("TMPDIR", str(folder))
        with pytest.raises(InvalidInput, match=words):
            check_temporary_folder()


@pytest.mark.usefixtures("no_choice_yet")
def test_a_full_temporary_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(temporary_folder.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=3e6))
    with pytest.raises(Unavailable, match=f"{tmp_path} has 3 MB left, and temporary files may take 32: make room"):
        check_temporary_folder()


@pytest.mark.usefixtures("no_choice_yet")
def test_no_temporary_folder_at_all_is_one_sentence(monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])
    with pytest.raises(Unavailable, match=r"No usable temporary directory found in .*; name a folder for temporary"):
        check_temporary_folder()


@pytest.mark.usefixtures("no_choice_yet", "home")
@pytest.mark.parametrize("arguments", [["train"], ["predict", "x.png"], ["status"], ["up"]], ids=" ".join)
def test_every_command_says_so_before_anything_else(tmp_path, monkeypatch, arguments):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    done = mnist_here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mnist: TMPDIR: there is no folder")
    assert done.stderr.count("\n") == 1
