"""`mnist train --dry-run`: what would be reused, resumed and trained, and how long; nothing is started."""

import json
import os
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from commands import mnist_here
from made_data import make_dataset, write_npz

from flows.cli.dry_run import START_SECONDS, Forecast, expected_seconds, wall_seconds
from mnist_models.data.loader import prepare_data
from mnist_models.recipe_catalog import find_recipe
from mnist_models.training_run.identity import Conditions
from mnist_models.training_run.plan import plan_trainings
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult
from tasks.config.settings import load_settings
from tasks.flow_run.request import TrainRequest

pytestmark = pytest.mark.usefixtures("small_recipes")


@pytest.fixture
def data(home):
    return str(write_npz(make_dataset(classes=4, side=16, train=300, test=80), home / "data.npz"))


def directory_of(recipe, data):
    """The run directory of a recipe's training on this data, and the training."""
    settings = load_settings()
    digest = prepare_data(data, settings.data, print).dataset.digest
    training = next(each for each in TrainRequest(recipes=(recipe,)).trainings(digest) if each.recipe.name == recipe)
    directory = RunDirectory(settings.runs / training.folder)
    directory.path.mkdir(parents=True, exist_ok=True)
    directory.write_recipe(training.recipe)
    return directory


def log_steps(directory, steps):
    directory.metrics_file.write_text("".join(f'{{"step": {each}, "time": {each}}}\n' for each in range(1, steps + 1)))
    directory.checkpoint_file.write_bytes(b"weights")


def finish(directory, seconds, steps=40):
    """Write what a training of so many seconds leaves."""
    log_steps(directory, steps)
    np.savez(directory.predictions_file)
    directory.model_file.write_bytes(b"a model")
    directory.finish(TrainingResult("finished", 10, steps, seconds, 1.0, steps, 0.9, 0.9))


def planned(*arguments):
    result = mnist_here("train", "--dry-run", "--json", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    return told, {each["name"]: (each["action"], each["seconds"]) for each in told["trainings"]}


def test_it_says_what_would_be_reused_resumed_and_trained(home, data):
    finish(directory_of("small", data), seconds=8.0)
    log_steps(directory_of("small_broken", data), 30)
    told, found = planned("--recipes", "small,small_broken,middle", "--data", data)
    assert found["small"] == ("reused", 0.0)
    assert found["small_broken"][0] == "resumed"
    assert found["small_broken"][1] == pytest.approx(find_recipe("small_broken").seconds / 4, abs=0.06)
    assert found["middle"][0] == "trained"
    assert told["seconds"] >= START_SECONDS
    _, forced = planned("--recipes", "small,small_broken", "--data", data, "--force")
    assert {action for action, _ in forced.values()} == {"trained"}
    assert forced["small"][1] == 8.0  # as it took


def test_a_damaged_training_would_be_trained_again(home, data):
    directory = directory_of("small", data)
    finish(directory, seconds=8.0)
    directory.model_file.write_bytes(b"cut")
    assert planned("--recipes", "small", "--data", data)[1]["small"][0] == "trained"


def test_the_table_says_the_same_in_words_and_nothing_is_started(home, data):
    finish(directory_of("small", data), seconds=8.0)
    log_steps(directory_of("small_broken", data), 30)
    before = sorted(path for path in home.rglob("*"))
    result = mnist_here("train", "--dry-run", "--recipes", "small,small_broken,middle", "--data", data)
    assert (result.returncode, result.stderr) == (0, "")
    words = " ".join(result.stdout.split())
    assert "small reused –" in words
    assert "small_broken resumed at 75%" in words
    assert "Of 3 trainings: 1 reused, 1 resumed, 1 trained." in words
    assert "Nothing was started." in words
    assert sorted(path for path in home.rglob("*")) == before


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_it_fits_its_terminal(home, data, width):
    with mock.patch.dict(os.environ, COLUMNS=width):
        result = mnist_here("train", "--dry-run", "--recipes", "small,middle", "--data", data, "--seeds", "12")
    assert max(map(len, result.stdout.splitlines())) <= int(width)


def test_without_the_official_data_it_fetches_nothing(home, monkeypatch):
    monkeypatch.setenv("MNIST_CACHE", str(home / "nothing"))
    monkeypatch.setattr("flows.cli.dry_run.prepare_data", lambda *_: pytest.fail("it reads data"))
    result = mnist_here("train", "--dry-run", "--json", "--recipes", "softmax_regression")
    assert result.returncode == 0
    assert result.stderr == "The official MNIST would be fetched first.\n"
    (training,) = json.loads(result.stdout)["trainings"]
    assert (training["action"], training["seconds"]) == ("trained", find_recipe("softmax_regression").seconds)
    assert not (home / "nothing").exists()


def test_json_of_a_real_training_is_refused(home):
    result = mnist_here("train", "--json")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "--dry-run" in result.stderr


def test_what_cannot_be_trained_is_refused_as_without_it(home):
    result = mnist_here("train", "--dry-run", "--suite", "quik")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean quick?" in result.stderr


def test_a_state_folder_that_cannot_be_used_is_told_at_once(home):
    (home / "state").write_text("a file")
    result = mnist_here("train", "--dry-run")
    assert (result.returncode, result.stdout) == (1, "")
    assert "is in the way" in result.stderr


def test_the_latest_training_of_the_recipe_tells_its_speed(home, data):
    recipe, settings = find_recipe("small"), load_settings()
    assert expected_seconds(settings, recipe, 40) == recipe.seconds
    finish(directory_of("small", data), seconds=8.0)
    assert expected_seconds(settings, recipe, 80) == 16.0
    changed = replace(recipe, batch_size=10, seconds=3.0)
    assert expected_seconds(settings, changed, 80) == 6.0  # another recipe of that name


def test_trainings_side_by_side_take_as_long_as_the_longest_chain():
    recipes = [find_recipe(name) for name in ("small", "small_best", "small_broken")]
    trainings = plan_trainings(recipes, [0], "digest", lambda _: Conditions("cpu", 1, "float32", ()))
    seconds = {"small": 10.0, "small_best": 5.0, "small_broken": 12.0}

    def taking(trainers, reused=()):
        forecasts = [
            Forecast(name, name, 0, "reused" if name in reused else "trained", 0.0 if name in reused else seconds[name])
            for name in (each.recipe.name for each in trainings)
        ]
        return wall_seconds(trainings, forecasts, trainers) - START_SECONDS

    assert taking(1) == 27
    assert taking(2) == taking(3) == 15
    assert taking(2, reused=("small",)) == 12
    assert taking(2, reused=tuple(seconds)) == 0
