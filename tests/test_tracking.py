"""Replaying a run directory into MLflow: every record once, whatever happens in between."""

from dataclasses import replace

import pytest
from made_data import make_dataset

from mnist_models.recipe_catalog import all_recipes
from mnist_models.training_run.metrics_log import MetricsLog
from tasks.config.settings import Settings, load_settings
from tasks.tracking.logged_parameters import check_logged
from tasks.tracking.run_replay import RunReplay
from tasks.tracking.tracker import Tracker


@pytest.fixture
def tracker(store):
    return Tracker(load_settings())


def write(directory, first, last):
    directory.mkdir(exist_ok=True)
    log = MetricsLog(directory / "metrics.jsonl")
    log.append(
        {"step": s, "time": 10_000 + s, "train/loss": 1 / s, "train/accuracy": 0.5} for s in range(first, last + 1)
    )
    log.close()


def steps(tracker, run_id, name="train/loss"):
    return [metric.step for metric in tracker.client.get_metric_history(run_id, name)]


def opened(tracker, directory, parent):
    run = RunReplay(tracker, directory)
    run.open("net", {"recipe": "net"}, parent)
    return run


def replay(run):
    while run.replay():
        pass


def test_records_arrive_once_over_several_processes(tracker, tmp_path):
    parent = tracker.start_run("parent", {})
    directory = tmp_path / "run"
    write(directory, 1, 700)
    run = opened(tracker, directory, parent)
    replay(run)
    write(directory, 1, 1500)
    # Another process goes on with what the first one noted.
    other = opened(tracker, directory, parent)
    assert other.run_id == run.run_id
    replay(other)
    assert steps(tracker, run.run_id) == list(range(1, 1501))
    assert steps(tracker, run.run_id, "train/accuracy") == list(range(1, 1501))


def test_a_kill_between_logging_and_noting_doubles_nothing(tracker, tmp_path):
    parent = tracker.start_run("parent", {})
    directory = tmp_path / "run"
    write(directory, 1, 50)
    run = opened(tracker, directory, parent)
    replay(run)
    run.note(replayed_to=0)  # as if it had been killed before it could note how far it came
    again = opened(tracker, directory, parent)
    replay(again)
    assert steps(tracker, run.run_id) == list(range(1, 51))


def test_another_store_gets_everything_in_a_run_of_its_own(tracker, tmp_path, monkeypatch):
    directory = tmp_path / "run"
    write(directory, 1, 20)
    first = opened(tracker, directory, tracker.start_run("parent", {}))
    replay(first)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    elsewhere = Tracker(load_settings())
    second = opened(elsewhere, directory, elsewhere.start_run("parent", {}))
    replay(second)
    assert steps(elsewhere, second.run_id) == list(range(1, 21))
    assert opened(tracker, directory, "").run_id == first.run_id


def test_a_new_password_leaves_the_store_the_same(tracker, tmp_path):
    settings = Settings.at(tmp_path, tracking_uri="postgresql://mlflow:old@db.example/mlflow")
    RunReplay(Tracker(settings), tmp_path).note(run_id="1")
    settings = Settings.at(tmp_path, tracking_uri="postgresql://mlflow:new@db.example/mlflow")
    assert RunReplay(Tracker(settings), tmp_path).run_id == "1"


def test_a_deleted_run_is_replaced(tracker, tmp_path):
    directory = tmp_path / "run"
    write(directory, 1, 5)
    parent = tracker.start_run("parent", {})
    first = opened(tracker, directory, parent)
    replay(first)
    first.note(closed=True)
    tracker.client.delete_run(first.run_id)
    second = opened(tracker, directory, parent)
    assert second.run_id != first.run_id
    assert not second.state.closed
    replay(second)
    assert steps(tracker, second.run_id) == list(range(1, 6))


def test_what_exceeds_a_batch_is_logged_in_several(tracker, monkeypatch):
    monkeypatch.setattr("tasks.tracking.logged_parameters.LOGGED", {f"parameter/{number}" for number in range(250)})
    run = tracker.start_run("many", {})
    tracker.log(
        run,
        [(f"metric/{number}", 1.0, 1, 0) for number in range(2500)],
        {f"parameter/{number}": number for number in range(250)},
        {f"tag/{number}": number for number in range(250)},
    )
    data = tracker.client.get_run(run).data
    assert (len(data.metrics), len(data.params)) == (2500, 250)
    assert sum(name.startswith("tag/") for name in data.tags) == 250


def test_only_parameters_on_the_list_are_logged(tracker):
    run = tracker.start_run("secretive", {})
    with pytest.raises(ValueError, match=r"may be logged .*password"):
        tracker.log(run, parameters={"seed": 1, "password": "x"})
    assert tracker.client.get_run(run).data.params == {}
    for recipe in all_recipes().values():
        check_logged(recipe.parameters())


def test_no_text_is_logged_with_the_credentials_of_an_address(tracker, tmp_path):
    address = "postgresql://keeper:opensesame@db.example/mnist"
    run = tracker.start_run(f"from {address}", {"where": address})
    tracker.log(run, parameters={"data": address}, tags={"failure": f"no answer from {address}"})
    tracker.log_text(run, f"Traceback … {address}", "traceback.txt")
    tracker.log_dataset(run, replace(make_dataset(), source=address))
    logged = tracker.client.get_run(run)
    shown = "postgresql://***@db.example/mnist"
    assert (logged.data.params["data"], logged.data.tags["where"]) == (shown, shown)
    written = [file for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert len(written) > 1
    for file in written:
        assert b"opensesame" not in file.read_bytes(), file


def test_the_data_sets_own_digest_is_logged(tracker):
    run = tracker.start_run("data", {})
    made = make_dataset()
    tracker.log_dataset(run, made)
    inputs = tracker.client.get_run(run).inputs.dataset_inputs
    assert {each.dataset.digest for each in inputs} == {made.digest[:36]}
    assert {each.dataset.name for each in inputs} == {"made (training)", "made (testing)"}


def test_a_run_that_an_older_copy_of_the_store_shows_as_running_gets_everything_again(tracker, tmp_path, store):
    directory, parent = tmp_path / "run", tracker.start_run("parent", {})
    write(directory, 1, 5)
    run = opened(tracker, directory, parent)
    backup = store.read_bytes()
    replay(run)
    tracker.end_run(run.run_id, "FINISHED")
    run.note(closed=True, described=True)
    assert not opened(tracker, directory, parent).replay()
    store.write_bytes(backup)
    again = opened(tracker, directory, parent)
    assert (again.run_id, again.state.closed, again.state.described) == (run.run_id, False, False)
    replay(again)
    assert steps(tracker, run.run_id) == [1, 2, 3, 4, 5]
