"""What tests share: a state folder of their own each, and one Prefect server for all that need one."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from answering import answers, flow_run, pictures  # noqa: F401
from browser import chromium, page  # noqa: F401
from homes import RECIPES, environment_of, make_home, write_settings
from up_stack import stack  # noqa: F401

from mnist_models.recipe_catalog import all_recipes

ROOT = Path(__file__).parent.parent

pytest_plugins = ["fast_run", "order", "fault_report", "fault_fixtures"]

# How long an example takes says nothing on a machine that is busy with something else. The same examples each time, so
# that a green stays green; `make faults` looks for others.
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.register_profile("project", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("project")


def pytest_configure():
    # A shell starts what runs in its background with Ctrl-C ignored, and whatever is started from here inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def checkout():
    """Tests leave nothing in the folder that they are started in."""
    before = set(ROOT.iterdir())
    yield
    left = {path.name for path in set(ROOT.iterdir()) - before}
    assert left <= {".pytest_cache", ".hypothesis", ".ruff_cache", ".mypy_cache", "state"}, left


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """A real Prefect server with an empty database, for the whole session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture(autouse=True)
def no_store(monkeypatch):
    """No test sees the store that another has worked with."""
    without_store(monkeypatch)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder with a mlflow.yml in it, as the current one."""
    monkeypatch.setenv("MNIST_CONFIG", str(write_settings(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_store(monkeypatch):
    """No store is named in the environment; MLflow puts the one that it works with there, which is undone too."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An MLflow store without runs; creating its tables takes seconds, copying it nothing."""
    from tasks.config.settings import Settings
    from tasks.tracking.tracker import Tracker

    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_store(monkeypatch)
        Tracker(Settings.at(home)).client.search_experiments()
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
    make_home(home)
    environment = environment_of(home, PREFECT_API_URL=get_current_settings().api.url)
    done = subprocess.run([sys.executable, "-c", TWO_RUNS], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return home


@pytest.fixture
def small_recipes(monkeypatch):
    """The recipes of tests/recipes, as users can have a folder of their own; also seen by trainer processes."""
    import mnist_models.recipes

    monkeypatch.setenv("MNIST_RECIPES", str(RECIPES))
    monkeypatch.setattr(mnist_models.recipes, "__path__", [*mnist_models.recipes.__path__])
    all_recipes.cache_clear()
    yield
    all_recipes.cache_clear()
