"""The MLflow runs of a flow run, opened under faults: none is forgotten, whatever was cut off."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from made_data import make_dataset

from mnist_models.recipe_catalog import find_recipe
from mnist_models.training_run.identity import Conditions
from mnist_models.training_run.plan import Training
from tasks.config.settings import Settings
from tasks.flow_run.child_run import ChildRun
from tasks.flow_run.lifetime import _end_runs
from tasks.flow_run.record import _written

TRAINING = Training(find_recipe("softmax_regression"), 0, "digest", Conditions("cpu", 1, "float32"))


class Store:
    """A tracker that notes what it is told, and refuses what a test says."""

    store_ids = ("store",)

    def __init__(self, refused=()):
        self.refused, self.told, self.statuses = set(refused), [], {}
        self.settings = Settings()

    def __getattr__(self, name):
        def tell(*arguments, **named):
            self.told.append(name)
            if name in self.refused:
                raise ConnectionError(name)
            if name == "start_run":
                self.statuses[f"run {len(self.statuses)}"] = "RUNNING"
                return f"run {len(self.statuses) - 1}"
            if name == "end_run":
                self.statuses[arguments[0]] = arguments[1]
            return [] if name == "find_runs" else True

        return tell


def child(store, tmp_path):
    parent = SimpleNamespace(tracker=store, run_id="parent", ensure_open=lambda: "parent")
    return parent, ChildRun(parent, TRAINING, make_dataset(), tmp_path, "net", {})


def ended(store, parent, run):
    context = SimpleNamespace(tracker=store, parent=parent, child_runs={"net": run})
    return _end_runs(context, "FAILED")


def test_a_run_that_was_created_and_not_described_is_closed(tmp_path):
    store = Store({"log_dataset"})
    parent, run = child(store, tmp_path)
    with pytest.raises(ConnectionError):
        run.ensure_open()
    assert ended(store, parent, run)
    assert store.statuses["run 0"] == "FAILED"


def test_a_run_whose_creation_was_not_answered_leaves_the_record_for_the_next(tmp_path):
    store = Store({"start_run"})
    parent, run = child(store, tmp_path)
    with pytest.raises(ConnectionError):
        run.ensure_open()
    assert not ended(store, parent, run)


def test_what_is_described_once_is_not_described_again(tmp_path):
    store = Store()
    _, run = child(store, tmp_path)
    run.ensure_open()
    told = list(store.told)
    run.ensure_open()
    assert store.told == told
    assert told.count("start_run") == told.count("log_dataset") == 1


def test_a_run_that_goes_on_gets_its_status_and_description_again(tmp_path):
    store = Store()
    _, run = child(store, tmp_path)
    run.ensure_open()
    run.note(evaluated=True)
    _, again = child(store, tmp_path)
    again.ensure_open()
    assert "resume_run" in store.told
    assert not again.state.evaluated
    assert replace(again.state, evaluated=True) == run.state


def test_a_record_that_has_just_gone_is_no_error(tmp_path):
    assert _written(tmp_path / "gone.json") == 0
