"""What tests share: a state folder of their own each, and one Prefect server for all that need one."""

import os
import shutil
import subprocess
import sys

import hypothesis
import pytest
from browser import chromium, page  # noqa: F401
from made_data import make_dataset, write_npz
from up_stack import stack  # noqa: F401

from mnist_models.recipe_catalog import all_recipes

pytest_plugins = ["fault_report", "fault_fixtures"]

# How long an example takes says nothing on a machine that is busy with something else.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """A real Prefect server with an empty database, for the whole session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder with a mlflow.yml in it, as the current one."""
    # The floor is low because 40 steps do not make a good model; the rule itself has tests of its own.
    (tmp_path / "mlflow.yml").write_text("experiment_name: test\nregistered_model: test-model\naccuracy_floor: 0.5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_CONFIG", str(tmp_path / "mlflow.yml"))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An MLflow store without runs; creating its tables takes seconds, copying it nothing."""
    from tasks.config.settings import Settings
    from tasks.tracking.tracker import Tracker

    home = tmp_path_factory.mktemp("store")
    tracker = Tracker(Settings.at(home))
    tracker.client.search_experiments()
    return home / "state" / "mlflow.db"


@pytest.fixture
def store(home, empty_store):
    """The store of `home`, ready for use."""
    (home / "state").mkdir()
    return shutil.copy(empty_store, home / "state" / "mlflow.db")


TWO_RUNS = """
from flows.train import train
train("small", data="data.npz")
train(recipes=["small", "small_best"], data="data.npz")
"""


@pytest.fixture(scope="session")
def trained(prefect_server, tmp_path_factory):
    """A folder after two flow runs: `small`, `small_best` and `small_diverged`; then two of them, reused."""
    from prefect.settings import get_current_settings

    home = tmp_path_factory.mktemp("trained")
    (home / "recipes").mkdir()
    (home / "recipes" / "small.py").write_text(SMALL)
    (home / "mlflow.yml").write_text("experiment_name: test\nregistered_model: test-model\naccuracy_floor: 0.5\n")
    write_npz(make_dataset(classes=4, side=16, train=300, test=80), home / "data.npz")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | {
        "PREFECT_API_URL": get_current_settings().api.url,
        "MNIST_CONFIG": str(home / "mlflow.yml"),
        "MNIST_RECIPES": str(home / "recipes"),
    }
    done = subprocess.run([sys.executable, "-c", TWO_RUNS], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return home


@pytest.fixture
def small_recipes(tmp_path, monkeypatch):
    """Recipes that take no time, in a file of their own as users can have them; also seen by trainer processes."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "small.py").write_text(SMALL)
    import mnist_models.recipes

    monkeypatch.setenv("MNIST_RECIPES", str(folder))
    monkeypatch.setattr(mnist_models.recipes, "__path__", [*mnist_models.recipes.__path__])
    monkeypatch.delitem(__import__("sys").modules, "mnist_models.recipes.small", raising=False)
    all_recipes.cache_clear()
    yield
    all_recipes.cache_clear()


SMALL = '''
"""Small recipes for tests."""

from dataclasses import replace

from mnist_models.recipe import Optimizer
from mnist_models.recipes.conv_net import KERAS
from mnist_models.recipes.relu_dropout import NAIVE


def network(shape, classes):
    """One hidden layer."""
    from mnist_models.recipes.relu_dropout import network

    return network(shape, classes)


def broken_network(shape, classes):
    """Raise."""
    raise RuntimeError("this network cannot be built")


def greedy_network(shape, classes):
    """Raise what TensorFlow raises when a GPU's memory is exhausted."""
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[4096,28,28,64]")


SMALL = replace(
    NAIVE, name="small", summary="Small", network=network, loss="cross_entropy", batch_size=20, steps=40,
    validations=4, validation_fraction=0.2, suites=("small",), notebook_row=None, study="smallness", seconds=1,
)
RECIPES = (
    SMALL,
    replace(SMALL, name="small_best", summary="Small, on", continues="small", keep="best"),
    replace(
        SMALL, name="small_diverged", summary="Small, to NaN", loss="naive_cross_entropy",
        optimizer=Optimizer("sgd", 500.0), diverges=True, study=None,
    ),
    replace(
        SMALL, name="small_surprise", summary="Small, to NaN", loss="naive_cross_entropy",
        optimizer=Optimizer("sgd", 500.0), suites=(), study=None,
    ),
    replace(SMALL, name="small_broken", summary="Small, broken", network=broken_network, suites=(), study=None),
    replace(SMALL, name="small_greedy", summary="Small, greedy", network=greedy_network, suites=(), study=None),
    replace(SMALL, name="small_orphan", summary="Small, orphaned", continues="small_broken", suites=(), study=None),
    replace(
        KERAS, name="small_conv", summary="Small, convolutional", epochs=None, steps=20, suites=(), notebook_row=None,
    ),
    replace(SMALL, name="small_long", summary="Small, long", steps=20_000, validations=20, suites=(), study=None),
    replace(SMALL, name="small_endless", summary="Small, on and on", steps=5_000_000, suites=(), study=None),
)
'''
