"""The command line as a user meets it, from any folder."""

import json
import logging
import os
import pty
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from unittest import mock
from uuid import uuid4

import numpy as np
import pytest
from commands import MNIST, mnist, mnist_here
from homes import free_port
from made_data import arrays_of, make_dataset, write_npz
from PIL import Image

from mnist_models.errors import Unavailable
from tasks.config.settings import load_settings
from tasks.operations.doctor_checks import Finding


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--suite", "quik"], "suite 'quik' does not exist: did you mean quick?"),
        (["train", "--recipes", "conv_nett"], "did you mean conv_net"),
        (["train", "--recipes", "conv_net,conv_net"], "recipes: 'conv_net' is given twice"),
        (["train", "--recipes", " , "], "recipes: give at least one name"),
        (["train", "--recipes", ""], "recipes: give at least one name"),
        (["train", "--summary", "/dev/null"], "summary: /dev/null is not a file"),
        (["train", "--seed", "-1"], "seed: -1 is not allowed; give a whole number from 0"),
        (["train", "--seed", "1.5"], "--seed"),
        (["train", "--seeds", "0"], "seeds: 0 is not allowed"),
        (["train", "--seeds", "1000000"], "from 1 to 100"),
        (["train", "--data", "nowhere"], "data: nowhere does not exist"),
        (["train", "--data", "http://user:secret@host/digits.npz"], "data: give a folder of images by class"),
        (["train", "--summary", "http://user:secret@host/x"], "summary: http://***@host/x is not a file"),
        (["train", "--summary", "no/where.json"], "summary: no/where.json is not a file in an existing folder"),
        (["train", "--nonsense"], "--nonsense"),
        (["trian"], "trian"),
        (["predict"], "FILE"),
        (["predict", "nowhere.png"], "nowhere.png"),
        (["predict", "mlflow.yml"], "PNG, JPEG"),
    ],
    ids=str,
)
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(home, arguments, words):
    result = mnist_here(*arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stdout + result.stderr
    assert [path.name for path in home.iterdir()] == ["mlflow.yml"]


@pytest.mark.slow
def test_doctor_says_what_is_chosen_and_why(home):
    settings = {"MLFLOW_PORT": str(free_port()), "MLFLOW_PREFECT_PORT": str(free_port()), "PREFECT_API_URL": ""}
    result = mnist(
        "doctor", **settings, MNIST_PRECISION="bfloat16", MNIST_WORKERS="3", CUDA_VISIBLE_DEVICES="-1", COLUMNS="80"
    )
    assert (result.returncode, result.stderr) == (0, "")
    for words in ("device", "trainers", "threads", "set by MNIST_PRECISION", "set by MNIST_WORKERS", "MNIST_THREADS"):
        assert words in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    wrong = mnist("doctor", MNIST_DEVICE="gpu", CUDA_VISIBLE_DEVICES="-1")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    assert "MNIST_DEVICE: 'gpu' is not one of cpu" in wrong.stderr


@pytest.mark.slow
def test_doctor_begins_with_nothing_of_prefects_on_a_fresh_account(home):
    """On a terminal, where Prefect would tell of its telemetry at the first import."""
    usual = ("DO_NOT_TRACK", "CI", "PREFECT_HOME", "PREFECT_SERVER_ANALYTICS_ENABLED")
    environment = {name: value for name, value in os.environ.items() if name not in usual and "GITHUB" not in name}
    environment |= {"HOME": str(home)}
    controller, terminal = pty.openpty()
    said = b""
    with subprocess.Popen([MNIST, "doctor"], env=environment, stdout=terminal, stderr=terminal):
        os.close(terminal)
        with suppress(OSError):  # which is the end of a terminal
            while chunk := os.read(controller, 10_000):
                said += chunk
    os.close(controller)
    assert "How trainings run here" in said.decode()
    assert b"telemetry" not in said
    assert b"anonymous usage data" not in said


@pytest.mark.slow
@pytest.mark.fault(6)
def test_a_recipe_file_that_cannot_be_loaded_is_named_and_stops_nothing_else(home):
    folder = home / "recipes"
    folder.mkdir()
    (folder / "broken_net.py").write_text("\nRECIPES = (Recipe(name='deep'),)\n")
    reason = "broken_net.py cannot be loaded: line 2: NameError: name 'Recipe' is not defined"
    listed = mnist("recipes", MNIST_RECIPES=str(folder), COLUMNS="200")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert f"Warning: {reason}; its recipes are missing." in listed.stdout
    assert "softmax_regression" in listed.stdout
    refused = mnist("train", "--recipes", "deep", MNIST_RECIPES=str(folder))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"mnist: recipe 'deep' cannot be used: {reason}.\n"
    other = mnist("predict", "none.png", MNIST_RECIPES=str(folder))
    assert (other.returncode, len(other.stderr.splitlines())) == (2, 1)
    assert "none.png" in other.stderr


def test_with_nothing_unsent_sync_says_so(home):
    result = mnist_here("sync")
    assert (result.returncode, result.stdout, result.stderr) == (0, "Nothing is unsent.\n", "")
    assert [path.name for path in home.iterdir()] == ["mlflow.yml"]


def test_a_wrong_key_in_the_settings_is_refused_by_every_command(home):
    (home / "mlflow.yml").write_text("expriment_name: x\n")
    for command in (["train"], ["predict", "x.png"]):
        result = mnist_here(*command)
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
        assert "expriment_name" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_URI", "PREFECT_API_URL"])
def test_a_server_that_does_not_answer_is_named(home, variable):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: nothing answers there
        result = mnist("train", **{variable: f"http://127.0.0.1:{unused.getsockname()[1]}/api"})
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert variable in result.stderr
    assert not (home / "state" / "runs").exists()


def changed(key, place, value, dtype):
    array = getattr(make_dataset(), key).astype(dtype)
    array[place] = value
    return {key: array}


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (None, "cannot be read as an .npz file"),  # cut
        (changed("x_train", (3, 4, 5), float("nan"), float), "x_train must hold finite values"),
        (changed("y_train", 5, 11, int), "y_train must hold at least two images of each class, but class 11 has one"),
        (changed("y_test", 5, 11, int), "y_test must hold only classes that the training part holds, but holds 11"),
        ({"x_test": make_dataset(side=17).x_test}, "x_test must hold images of the size of x_train, 16×16"),
    ],
    ids=["cut", "NaN", "empty class", "label 11", "shape"],
)
def test_wrong_data_is_refused_before_anything_starts(home, arrays, words):
    file = write_npz(make_dataset(), home / "data.npz")
    if arrays is None:
        file.write_bytes(file.read_bytes()[:-200])
    else:
        np.savez(file, **(arrays_of(make_dataset()) | arrays))
    result = mnist_here("train", "--data", str(file))
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "data.npz" in result.stderr
    assert words in result.stderr
    assert sorted(path.name for path in home.iterdir()) == ["data.npz", "mlflow.yml"]


def test_help_and_recipes_say_what_there_is(home):
    from mnist_models.recipe_catalog import all_recipes

    assert "predict" in mnist("--help").stdout
    listed = mnist("recipes", COLUMNS="200").stdout
    for recipe in all_recipes().values():
        assert f"{recipe.name} " in listed
        assert recipe.summary in listed


def test_help_imports_nothing_heavy():
    code = "import sys; sys.argv = ['mnist', '--help']\nfrom flows.cli.app import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('prefect', 'mlflow', 'tensorflow', 'numpy', 'pydantic') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.splitlines()[-1] == "[]", result


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_help_is_never_cut(home, monkeypatch, width):
    from flows.cli.app import app

    monkeypatch.setenv("COLUMNS", width)
    text = mnist_here("-h").stdout
    assert text == mnist_here("--help").stdout
    assert max(map(len, text.splitlines())) <= int(width)
    words = " ".join(text.split())
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"{name} {' '.join(command.callback.__doc__.split())}" in words


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("mnist tr", ["train"]),
        ("mnist train --suite no", ["notebook"]),
        ("mnist train --recipes conv_net,relu_dropout_s", ["conv_net,relu_dropout_stable"]),
        ("mnist train --recipes conv_net,conv_net", []),
        ("mnist train --dry", ["--dry-run"]),
    ],
)
def test_a_shell_completes_commands_options_and_names(home, words, completed):
    number = str(len(words.split()) - 1)
    result = mnist(_MNIST_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=number)
    assert (result.stdout.split(), result.stderr) == (completed, "")


def test_recipes_and_doctor_speak_json(home, monkeypatch):
    from mnist_models.recipe_catalog import all_recipes, all_suites

    told = json.loads(mnist_here("recipes", "--json").stdout)
    assert [each["name"] for each in told["recipes"]] == [*all_recipes()]
    assert told["suites"] == all_suites()
    finding = Finding("something is wrong", "mend it")
    for found in ([], [finding]):
        monkeypatch.setattr("flows.cli.doctor.findings", lambda _settings, found=found: found)
        result = mnist_here("doctor", "--json")
        told = json.loads(result.stdout)
        assert (result.returncode, told["findings"]) == (len(found), [each._asdict() for each in found])
        assert {each["name"] for each in told["choices"]} == {"device", "trainers", "threads", "precision"}


def test_what_the_log_warns_of_during_a_prediction_stays_out_of_its_answer(home, monkeypatch):
    def warn(_settings):
        logging.getLogger("tasks.anything").warning("a server is slow")
        raise Unavailable("no server.")

    Image.fromarray(make_dataset().x_test[0]).save(home / "digit.png")
    monkeypatch.setattr("flows.cli.predict.start_temporary_server", warn)
    result = mnist_here("predict", "--json", "digit.png")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "mnist: no server.\n"


def test_status_speaks_json(home, monkeypatch, capsys):
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Completed, Running

    from flows.cli import status
    from tasks.operations.deployment_status import Deployed, Overview
    from tasks.registry.champion import Champion

    moment = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    done, running = (
        FlowRun(flow_id=uuid4(), name=name, state=state, state_name=state.name, start_time=moment)
        for name, state in (("train quick", Completed()), ("train all", Running()))
    )
    deployed = mock.Mock(spec=Deployed, name="deployed", latest=[done], next=moment, paused=False)
    deployed.name = "train/nightly"
    champion = mock.create_autospec(Champion, instance=True)
    monkeypatch.setattr(status, "asdict", lambda _champion: {"recipe": "net"})
    overview = mock.Mock(spec=Overview, champion=champion, deployments=[deployed], running=[running], waiting=[])
    overview.slots = (1, 2)
    monkeypatch.setattr(status, "look", lambda _settings: overview)
    status.print_status(load_settings(), as_json=True)
    told = json.loads(capsys.readouterr().out)
    (nightly,) = told["deployments"]
    assert told["champion"] == {"recipe": "net"}
    assert (nightly["name"], nightly["next"]) == ("train/nightly", "2030-01-02T03:04:00+00:00")
    (run,) = nightly["latest"]
    assert (run["name"], run["state"], run["began"]) == ("train quick", "Completed", "2030-01-02T03:04:00+00:00")
    assert isinstance(run["seconds"], float)
    assert [(each["name"], each["seconds"]) for each in told["running"]] == [("train all", None)]
    assert (told["waiting"], told["trainer_slots"]) == ([], {"taken": 1, "all": 2})
