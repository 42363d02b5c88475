"""A project that is moved, copied or restored: its records, its artifacts, and a champion whose files are gone."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from conftest import without_store

from tasks.config.settings import Settings
from tasks.databases import relocation
from tasks.databases.relocation import follow_move
from tasks.operations.store_checks import lost_champion, wrong_records
from tasks.registry.champion import champion_version
from tasks.tracking.model_files import files_are_lost
from tasks.tracking.run_replay import RunReplay
from tasks.tracking.run_state import RunState
from tasks.tracking.tracker import Tracker

pytestmark = pytest.mark.fault(25)

NAMES = {"experiment_name": "test", "registered_model": "test-model"}


def settings_at(home, **more):
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # where MLflow notes the last store that this process has worked with
    return Settings.at(home, **(NAMES | more))


def tracker_at(home, **more):
    return Tracker(settings_at(home, **more))


def former_id(home):
    """As earlier versions named a project's store in its notes."""
    return hashlib.sha256(f"sqlite:///{home}/state/mlflow.db".encode()).hexdigest()[:16]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where projects are; a name that a URI quotes."""
    without_store(monkeypatch)
    return tmp_path / "my projects, 100 %"


@pytest.fixture
def old(place, empty_store):
    """A project with a run, a champion, and the notes of a training and of a flow run."""
    home = place / "old"
    (home / "state").mkdir(parents=True)
    shutil.copy(empty_store, home / "state" / "mlflow.db")
    tracker = tracker_at(home)
    client, run = tracker.client, tracker.start_run("net", {})
    tracker.log_text(run, "what", "note.txt")
    model = client.create_logged_model(tracker.experiment_id, name="net", source_run_id=run).model_id
    (home / "model" / "data").mkdir(parents=True)
    (home / "model" / "MLmodel").write_text("flavors: {}")
    (home / "model" / "data" / "model.keras").write_text("weights")
    client.log_model_artifacts(model, str(home / "model"))
    client.create_registered_model("test-model")
    client.create_model_version("test-model", f"models:/{model}", run, {"preparation": "{}"}, model_id=model)
    client.set_registered_model_alias("test-model", "champion", "1")
    notes = home / "state" / "runs" / "net-seed-0-1"
    notes.mkdir(parents=True)
    (notes / "tracking.json").write_text(json.dumps({former_id(home): {"run_id": run, "closed": True}, "else": {}}))
    (home / "state" / "flows").mkdir()
    request = {"store": former_id(home), "request": {"data": f"{home}/own.npz"}, "unsent": "no answer"}
    (home / "state" / "flows" / "1.json").write_text(json.dumps(request))
    return home


def dump(home):
    """All that the store says."""
    store = tracker_at(home)
    run = store.client.search_runs([store.experiment_id])[-1]
    (model,) = store.client.search_logged_models([store.experiment_id])
    return " ".join(
        [
            store.client.get_experiment(store.experiment_id).artifact_location,
            run.info.artifact_uri,
            model.artifact_location,
            store.client.get_model_version_download_uri("test-model", "1"),
        ]
    )


def assert_usable(home, tmp_path):
    tracker = tracker_at(home)
    version = champion_version(tracker)
    assert not files_are_lost(tracker, version)
    (run,) = [each.info.run_id for each in tracker.client.search_runs([tracker.experiment_id])]
    fetched = tracker.client.download_artifacts(run, "note.txt", str(tmp_path))
    assert Path(fetched).read_text() == "what"
    tracker.log_text(tracker.start_run("another", {}), "more", "more.txt")
    assert [*(home / "state" / "artifacts").rglob("more.txt")]
    assert RunReplay(tracker, home / "state" / "runs" / "net-seed-0-1").state == RunState(run_id=run, closed=True)


def test_a_moved_project_works_and_nothing_is_written_to_the_old_place(old, place, tmp_path, caplog):
    new = old.rename(place / "new")
    follow_move(settings_at(new))
    assert f"this project was in {old}" in caplog.text
    assert old.as_uri() not in dump(new)
    assert_usable(new, tmp_path)
    assert not old.exists()
    record = json.loads((new / "state" / "flows" / "1.json").read_text())
    assert (record["store"], record["request"]["data"]) == (tracker_at(new).store_id, f"{new}/own.npz")
    assert "else" in json.loads((new / "state" / "runs" / "net-seed-0-1" / "tracking.json").read_text())
    assert [*wrong_records(settings_at(new))] == []
    caplog.clear()
    follow_move(settings_at(new))
    assert caplog.text == ""


def test_a_copied_project_is_one_of_its_own(old, place, tmp_path):
    before = dump(old)
    new = shutil.copytree(old, place / "new")
    assert_usable(new, tmp_path)
    assert dump(old) == before
    assert not [*(old / "state" / "artifacts").rglob("more.txt")]


def test_a_store_that_is_restored_in_another_place_finds_the_artifacts_there(old, place, tmp_path):
    """The database is of another time than the rest: it alone tells where it comes from."""
    backup = shutil.copy(old / "state" / "mlflow.db", tmp_path / "backup.db")
    new = old.rename(place / "new")
    assert_usable(new, tmp_path)
    shutil.copy(backup, new / "state" / "mlflow.db")
    assert old.as_uri() not in dump(new)


def test_a_kill_in_between_is_made_good_by_the_next(old, place, tmp_path, monkeypatch):
    new = old.rename(place / "new")
    monkeypatch.setattr(relocation, "COLUMNS", (*relocation.COLUMNS, ("no_such_table", "column")))
    with pytest.raises(relocation.sqlite3.OperationalError, match="no such table"):
        follow_move(settings_at(new))
    monkeypatch.undo()
    assert_usable(new, tmp_path)


def test_another_projects_artifacts_in_the_same_store_are_left_alone(old, place):
    store = f"sqlite:///{old}/state/mlflow.db"
    other = tracker_at(place / "other", tracking_uri=store, experiment_name="other")
    run = other.start_run("net", {})
    other.log_text(run, "what", "note.txt")
    before = dump(old)
    assert before == dump(old)
    assert (place / "other").as_uri() in other.client.get_run(run).info.artifact_uri


def test_artifacts_that_were_left_behind_are_used_where_they_are_and_told_of(old, place):
    new = place / "new"
    shutil.copytree(old, new, ignore=shutil.ignore_patterns("artifacts"))
    assert old.as_uri() in dump(new)
    (wrong,) = wrong_records(settings_at(new))
    assert wrong[0].endswith(f"which are still in {old}/state/artifacts")


def test_a_champion_whose_files_are_gone_is_named(old):
    settings = settings_at(old)
    tracker = Tracker(settings)
    version = champion_version(tracker)
    (data,) = (old / "state" / "artifacts").rglob("data")
    shutil.rmtree(data)
    assert files_are_lost(tracker, version)
    shutil.rmtree(old / "state" / "artifacts")
    assert files_are_lost(tracker, version)
    assert lost_champion(settings).endswith("put them back, or train: the best takes its place")
    (wrong,) = wrong_records(settings)
    assert wrong[0].startswith("the champion is lost: test-model: the files of version 1 are gone from")


def test_files_on_a_disk_that_is_not_mounted_are_not_lost(old, tmp_path, empty_store):
    share = tmp_path / "share"
    tracker = tracker_at(old, artifact_location=(share / "artifacts").as_uri(), experiment_name="elsewhere")
    client, run = tracker.client, tracker.start_run("net", {})
    model = client.create_logged_model(tracker.experiment_id, name="net", source_run_id=run).model_id
    client.log_model_artifacts(model, str(old / "model"))
    version = client.create_model_version("test-model", f"models:/{model}", run, {"preparation": "{}"}, model_id=model)
    assert not files_are_lost(tracker, version)
    share.rename(tmp_path / "unmounted")
    assert not files_are_lost(tracker, version)
    (share / "artifacts" / "models" / "m-other").mkdir(parents=True)
    assert files_are_lost(tracker, version)
    client.delete_logged_model(model)
    assert files_are_lost(tracker, version)
