"""Nothing in the current folder is imported, by us or by a process that we start, whatever its files are called."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from homes import RECIPES, environment_of, make_home
from up_stack import Stack
from waiting import wait_for

import flows
import mnist_models
import tasks
from mnist_models.data.loader import prepare_data
from mnist_models.figures.renderer import Renderer
from mnist_models.processes.import_path import leave_out_current_folder, python_command, safe_path

pytestmark = pytest.mark.fault(26)

MNIST = Path(sys.executable).with_name("mnist")
MODULES = (
    *("types", "typing", "json", "logging", "signal", "random", "tokenize", "multiprocessing", "sitecustomize"),
    *("numpy", "keras", "tensorflow", "prefect", "mlflow", "uvicorn", "pip", "matplotlib", "PIL", "yaml", "rich"),
)
PACKAGES = ("flows", "tasks", "mnist_models", "sqlalchemy", "fastapi")
CALLED = "imported.txt"  # in the folder: which of them ran
HOSTILE = f"""
import os
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), {CALLED!r}), "a") as file:
    file.write(__name__ + "\\n")
raise RuntimeError("a module of the current folder was imported: " + __name__)
"""


def fill(folder):
    folder.mkdir(exist_ok=True)
    for name in MODULES:
        (folder / f"{name}.py").write_text(HOSTILE)
    for name in PACKAGES:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text(HOSTILE.replace("(__file__))", "(__file__)), '..'"))
    (folder / "uploads").mkdir(exist_ok=True)
    return folder


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The current folder, full of modules that say so when they are imported, and raise."""
    folder = fill(tmp_path / "hostile")
    monkeypatch.chdir(folder)
    return folder


def test_the_modules_are_hostile(hostile):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    plain = subprocess.run([sys.executable, "-c", "import numpy"], env=environment, capture_output=True, check=False)
    assert plain.returncode != 0
    assert (hostile / CALLED).exists()


def test_the_data_reader_and_the_drawing_process_are_ours(hostile, tmp_path):
    data = prepare_data(str(make_home(tmp_path / "home")), tmp_path / "data", print)
    assert data.dataset.classes == 4
    renderer = Renderer(tmp_path / "logs")
    renderer.close()
    assert not (hostile / CALLED).exists()


def test_settings_of_matplotlib_in_it_do_not_change_figures(hostile, monkeypatch):
    (hostile / "matplotlibrc").write_text("text.usetex: True\nfont.size: 50\n")
    code = "from mnist_models.figures.__main__ import _prepare; _prepare(); from matplotlib import rcParams\n"
    code += "print(rcParams['text.usetex'], rcParams['font.size'])"
    command = [sys.executable, "-P", "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False 10.0\n"


@pytest.mark.parametrize("path", ["", os.pathsep, f"{os.pathsep}/nowhere", f"/nowhere{os.pathsep}"])
def test_an_empty_entry_of_pythonpath_does_not_mean_the_current_folder(hostile, path):
    environment = safe_path(os.environ | {"PYTHONPATH": path})
    code = "import sys, json, types; print(json.dumps(sys.path))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert str(hostile) not in json.loads(done.stdout)
    assert "" not in json.loads(done.stdout)


def test_folders_that_pythonpath_names_stay(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text("print('mine')")
    environment = safe_path(os.environ | {"PYTHONPATH": str(tmp_path)})
    done = subprocess.run(python_command("own"), env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "mine\n"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    leave_out_current_folder()
    assert sys.path[0] == str(tmp_path)


def test_a_command_leaves_the_current_folder_out(hostile, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setattr(sys, "path", [str(hostile), "", *sys.path])
    leave_out_current_folder()
    assert {"", str(hostile)}.isdisjoint(sys.path)
    assert os.environ["PYTHONSAFEPATH"] == "1"


def test_every_process_of_python_is_started_with_a_safe_path():
    """`sys.executable` stands where the command is made, and where programs beside it are found; nowhere else."""
    allowed = {"mnist_models/processes/import_path.py", "tasks/config/library_defaults.py"}
    root, users = Path(mnist_models.__file__).parent.parent, set()
    for package in (flows, tasks, mnist_models):
        for file in Path(package.__file__).parent.rglob("*.py"):
            if any(
                isinstance(node, ast.Attribute) and node.attr == "executable"
                for node in ast.walk(ast.parse(file.read_text()))
            ):
                users.add(str(file.relative_to(root)))
    assert users == allowed


AS_PREFECTS_ENGINE = """
import runpy
from prefect.utilities.importtools import import_object
runpy.run_module = lambda *_, **__: print(import_object("flows.train:train").name)
from flows.deploy.flow_run import main
main()
"""


@pytest.mark.slow
def test_a_flow_run_of_a_deployment_finds_our_flows(hostile):
    """Prefect's engine puts the current folder before all others to import a flow."""
    command = [sys.executable, "-P", "-c", AS_PREFECTS_ENGINE]
    done = subprocess.run(command, env=safe_path(os.environ), capture_output=True, text=True, check=False)
    assert done.stdout == "train\n", done.stderr
    assert not (hostile / CALLED).exists()


@pytest.mark.long
@pytest.mark.slow
def test_a_whole_command_runs_beside_them(hostile, tmp_path):
    """The trainers, the temporary server, the data reader and the drawing process; with recipes of the user's own."""
    data = make_home(tmp_path / "home")
    recipes = tmp_path / "recipes"
    shutil.copytree(RECIPES, recipes)
    environment = environment_of(tmp_path / "home", MNIST_RECIPES=str(recipes), HOME=str(tmp_path))
    command = [MNIST, "train", "--recipes", "small", "--data", data, "--summary", "summary.json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((hostile / "summary.json").read_text())["best"] == "small"
    assert not (hostile / CALLED).exists(), (hostile / CALLED).read_text()
    assert len(list((tmp_path / "home").glob("state/runs/*/figures/*.png"))) > 2


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
def test_servers_and_deployments_run_beside_them(tmp_path):
    stack = Stack(fill(tmp_path / "hostile"))
    stack.start()
    try:
        run = stack.trigger("train/on-demand", suite="small", recipes=["small"], data=str(stack.data))
        assert stack.wait_until_ended(run) == "Completed", stack.log.read_text()[-3000:]
        wait_for(lambda: stack.ask("automations/filter", {}))
    finally:
        stack.end()
    assert not (stack.home / CALLED).exists(), (stack.home / CALLED).read_text()
