"""Flows in which something goes wrong: what fails alone, what is retried, what is noticed, what is refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from flow_runs import client, image_of, names, run
from made_data import make_dataset, write_npz

from mnist_models.errors import InvalidInput

pytestmark = [pytest.mark.usefixtures("prefect_server", "home", "small_recipes"), pytest.mark.slow]


@pytest.fixture
def data(tmp_path, store):
    return str(write_npz(make_dataset(classes=4, side=16, train=300, test=80), tmp_path / "data.npz"))


@pytest.mark.fault(4)
def test_one_failure_leaves_the_others_alone(data):
    from tasks.flow_run.errors import RecipesFailed

    with pytest.raises(RecipesFailed, match="not finished: small_broken, small_orphan, small_surprise") as caught:
        run(data=data, recipes=["small", "small_orphan", "small_surprise"])
    rows = {row["recipe"]: row for row in caught.value.summary["recipes"]}
    assert rows["small"]["status"] == "finished"
    assert rows["small_broken"]["status"] == "failed"
    assert rows["small_surprise"]["status"] == "diverged"
    assert "cannot be built" in rows["small_broken"]["reason"]
    assert rows["small_orphan"]["reason"] == "small_broken, which it continues, has not finished"
    assert caught.value.summary["champion"]["recipe"] == "small"
    mlflow_client = client()
    parent = mlflow_client.get_run(caught.value.summary["mlflow_run_id"])
    assert parent.info.status == "FAILED"
    for name in ("small_broken", "small_surprise"):
        assert mlflow_client.get_run(rows[name]["mlflow_run_id"]).info.status == "FAILED"
    failed = mlflow_client.get_run(rows["small_broken"]["mlflow_run_id"])
    assert "cannot be built" in failed.data.tags["failure"]
    assert "traceback.txt" in names(mlflow_client.list_artifacts(failed.info.run_id))


@pytest.mark.long
@pytest.mark.fault(21)
def test_exhausted_gpu_memory_is_named_with_a_hint_and_costs_the_siblings_nothing(data):
    from tasks.flow_run.errors import RecipesFailed

    with pytest.raises(RecipesFailed, match="not finished: small_greedy") as caught:
        run(data=data, recipes=["small", "small_greedy"])
    rows = {row["recipe"]: row for row in caught.value.summary["recipes"]}
    assert [rows[name]["status"] for name in ("small", "small_greedy")] == ["finished", "failed"]
    assert "batch_size" in rows["small_greedy"]["reason"]
    failed = client().get_run(rows["small_greedy"]["mlflow_run_id"])
    assert failed.info.status == "FAILED"
    assert "OOM when allocating" in failed.data.tags["failure"]
    logs = "".join(file.read_text() for file in Path("state/logs").glob("trainer-*.log"))
    assert "Traceback" not in logs  # it went where it belongs: into the run
    assert caught.value.summary["champion"]["recipe"] == "small"


@pytest.fixture
def kills():
    """The file that says how many more times the trainer of `small_mortal` is killed, each time after a checkpoint."""
    return Path("kills")


def test_a_killed_trainer_goes_on_in_the_same_run_and_nothing_is_doubled(data, kills):
    kills.write_text("2")
    row = run(data=data, recipes=["small_mortal"])["recipes"][0]
    assert (row["status"], kills.read_text()) == ("finished", "0")
    history = client().get_metric_history(row["mlflow_run_id"], "train/loss")
    assert sorted(metric.step for metric in history) == list(range(1, 41))
    assert client().get_run(row["mlflow_run_id"]).info.status == "FINISHED"
    result = json.loads(next(Path("state/runs").glob("small_mortal-*/result.json")).read_text())
    assert result["resumed_at"] == [10, 20]


@pytest.mark.long
@pytest.mark.fault(1)
def test_a_trainer_that_dies_again_and_again_is_given_up_and_resumed_by_the_next_run(data, kills):
    from tasks.flow_run.errors import RecipesFailed

    kills.write_text("3")
    with pytest.raises(RecipesFailed) as caught:
        run(data=data, recipes=["small_mortal"])
    failed = caught.value.summary["recipes"][0]
    assert "signal 9" in failed["reason"]
    assert client().get_run(failed["mlflow_run_id"]).info.status == "FAILED"
    # The last kill has also cut the checkpoint.
    checkpoint = next(Path("state/runs").glob("small_mortal-*/checkpoint.npz"))
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    row = run(data=data, recipes=["small_mortal"])["recipes"][0]
    assert (row["status"], row["mlflow_run_id"]) == ("finished", failed["mlflow_run_id"])
    finished = client().get_run(row["mlflow_run_id"])
    assert finished.info.status == "FINISHED"
    assert "failure" not in finished.data.tags
    assert finished.data.tags["damaged_checkpoints"].startswith("checkpoint.npz is damaged (")
    assert len(client().get_metric_history(row["mlflow_run_id"], "train/loss")) == 40


def test_a_second_command_waits_for_the_same_training_and_can_be_given_up():
    """The one that waits is told so, and ends at once when the flow run is given up."""
    from filelock import FileLock, Timeout

    from mnist_models.trainer_pool.cancellation import Cancellation
    from mnist_models.trainer_pool.errors import TrainingCancelled
    from tasks.supervision.training_lock import hold_training, release_training

    said, cancellation = [], Cancellation()
    context = SimpleNamespace(
        cancellation=cancellation,
        display=SimpleNamespace(say=said.append),
        settings=SimpleNamespace(runs=Path()),
        training_locks={},
    )
    with FileLock("held.lock"):
        cancellation.cancel()
        with pytest.raises(TrainingCancelled):
            hold_training(context, "held", "small")
    assert "another flow run is at it" in said[0]
    for _ in range(2):  # the second for a task that is tried again
        hold_training(context, "held", "small")
    with pytest.raises(Timeout):
        FileLock("held.lock").acquire(timeout=0)
    release_training(context, "held")
    with FileLock("held.lock", timeout=0):
        pass


@pytest.mark.long
@pytest.mark.fault(18)
def test_a_poisoned_cache_is_noticed_by_its_content(data, monkeypatch):
    from tasks.progress.display import Display

    said = []
    monkeypatch.setattr(Display, "say", lambda _self, text, *_: said.append(text))
    first = run(data=data, recipes=["small"])["recipes"][0]
    digest = client().get_run(first["mlflow_run_id"]).data.tags["data_digest"]

    stored = next(Path("state/runs").glob("small-*/predictions.npz"))
    stored.write_bytes(stored.read_bytes()[:-1])
    second = run(data=data, recipes=["small"])["recipes"][0]
    assert (second["status"], second["test_accuracy"]) == ("finished", first["test_accuracy"])
    assert "small: its files are damaged, so that it is trained again" in said
    assert len([*Path("state/runs").glob("small-*~1")]) == 1  # what there was is set aside

    prepared = next(Path("state/data").glob("*/x_train.npy"))
    whole = prepared.read_bytes()
    prepared.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run(data=data, recipes=["small"])["recipes"][0]["status"] == "reused"
    assert prepared.read_bytes() == whole

    write_npz(make_dataset(classes=4, side=16, train=300, test=80, seed=1), Path(data))
    third = run(data=data, recipes=["small"])["recipes"][0]
    assert third["status"] == "finished"
    assert client().get_run(third["mlflow_run_id"]).data.tags["data_digest"] != digest


@pytest.mark.long
@pytest.mark.fault(19)
def test_a_champion_that_carries_code_is_refused_and_nothing_of_it_is_run(data, tmp_path):
    import keras

    from flows.predict import predict

    run(data=data, recipes=["small"])
    executed = str(tmp_path / "executed")
    layer = keras.layers.Lambda(lambda x: (open(executed, "w").close(), x)[1])  # noqa: PTH123
    hostile = keras.Sequential([keras.Input((16, 16)), layer])
    Path(executed).unlink()  # building it has called it
    stored = next(Path("state/artifacts").rglob("data/model.keras"))
    hostile.save(stored)
    with pytest.raises(InvalidInput, match=r"^test-model: version 1 cannot be used: .*Lambda.*\.$"):
        predict([image_of(tmp_path, 0)])
    other = make_dataset(classes=4, side=16, train=300, test=200, seed=1)
    second = run(data=str(write_npz(other, tmp_path / "new.npz")), recipes=["small"])
    assert second["decision"]["promoted"] is False
    assert "cannot be compared with" in second["decision"]["reason"]
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(InvalidInput, match=r"^test-model: version 1 cannot be used: model: .*zip"):
        predict([image_of(tmp_path, 0)])
    assert not Path(executed).exists()
