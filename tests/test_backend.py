"""The flow on another backend than the local pool: only the protocol counts."""

from dataclasses import replace

import pytest
from fake_backend import STEPS, FakeBackend
from made_data import make_dataset, write_npz
from mlflow import MlflowClient

from mnist_models.recipe_catalog import all_recipes, find_recipe, more_recipes
from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.errors import TrainerDied, TrainingFailed
from tasks.flow_run.early_start import EarlyStart, early_start
from tasks.flow_run.errors import RecipesFailed

pytestmark = [pytest.mark.usefixtures("prefect_server", "store"), pytest.mark.slow]

PLAIN = replace(find_recipe("softmax_regression"), name="plain", suites=(), notebook_row=None)
RECIPES = (PLAIN, replace(PLAIN, name="plain_long", seconds=99.0), replace(PLAIN, name="plain_on", continues="plain"))


@pytest.fixture
def data(tmp_path):
    return str(write_npz(make_dataset(classes=4, side=16, train=300, test=80), tmp_path / "data.npz"))


def run(backend: Backend, data, **parameters):
    from flows.train import train

    with more_recipes(*RECIPES), early_start(EarlyStart(backend, backend.cancellation)):
        return train(recipes=[recipe.name for recipe in RECIPES], data=data, **parameters)


def steps(home, row):
    store = f"sqlite:///{home}/state/mlflow.db"
    client = MlflowClient(store, registry_uri=store)
    return [metric.step for metric in client.get_metric_history(row["mlflow_run_id"], "train/loss")]


def test_changed_recipes_are_trained_tracked_and_reused_without_a_file(home, data):
    backend = FakeBackend(slots=1)
    summary = run(backend, data)
    assert backend.trained[0] == "plain_long"  # who has most ahead
    assert sorted(backend.trained) == ["plain", "plain_long", "plain_on"]
    assert backend.trained.index("plain") < backend.trained.index("plain_on")
    assert [row["status"] for row in summary["recipes"]] == ["finished"] * 3
    assert summary["decision"]["promoted"]
    for row in summary["recipes"]:
        assert sorted(steps(home, row)) == list(range(1, STEPS + 1))
    assert backend.closed
    again = FakeBackend()
    assert {row["status"] for row in run(again, data)["recipes"]} == {"reused"}
    assert again.trained == []


def test_a_training_that_dies_is_run_again_in_the_same_mlflow_run(home, data):
    left = {"plain": 2}

    def die(name):
        if left.get(name, 0):
            left[name] -= 1
            raise TrainerDied("trainer process 1 was ended by signal 9")

    backend = FakeBackend(before=die)
    summary = run(backend, data, promote=False)
    assert backend.trained.count("plain") == 3
    assert [row["status"] for row in summary["recipes"]] == ["finished"] * 3
    assert len({row["mlflow_run_id"] for row in summary["recipes"]}) == 3


@pytest.mark.fault(4)
def test_a_file_that_cannot_be_loaded_fails_the_suite_of_all_and_stops_no_other_recipe(data, tmp_path, monkeypatch):
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "sound_file.py").write_text(
        "from dataclasses import replace\nfrom mnist_models.recipes.softmax_regression import RECIPES as SOFTMAX\n"
        "RECIPES = (replace(SOFTMAX[0], name='sound', suites=(), notebook_row=None),)\n"
    )
    (folder / "broken_file.py").write_text("\nRECIPES = (1,\n")
    monkeypatch.setattr("mnist_models.recipes.__path__", [str(folder)])
    monkeypatch.delenv("MNIST_RECIPES", raising=False)
    backend = FakeBackend()
    from flows.train import train

    all_recipes.cache_clear()
    try:
        with early_start(EarlyStart(backend, backend.cancellation)), pytest.raises(RecipesFailed) as caught:
            train("all", data=data)
    finally:
        all_recipes.cache_clear()
    assert str(caught.value) == "not finished: broken_file.py"
    assert backend.trained == ["sound"]
    sound, broken = caught.value.summary["recipes"]
    assert (sound["status"], broken["status"], broken["name"]) == ("finished", "failed", "broken_file.py")
    assert broken["reason"] == "cannot be loaded: line 2: SyntaxError: '(' was never closed"
    assert caught.value.summary["decision"]["promoted"]


def test_a_failure_takes_what_continues_it_and_nothing_else(data):
    def fail(name):
        if name == "plain":
            raise TrainingFailed("Traceback\nValueError: no")

    with pytest.raises(RecipesFailed, match="not finished: plain, plain_on") as caught:
        run(FakeBackend(before=fail), data)
    rows = {row["recipe"]: row for row in caught.value.summary["recipes"]}
    assert rows["plain_long"]["status"] == "finished"
    assert rows["plain"]["reason"] == "ValueError: no"
    assert rows["plain_on"]["reason"] == "plain, which it continues, has not finished"
