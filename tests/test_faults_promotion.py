"""Row 17: two promoters at once."""

import multiprocessing

import numpy as np
import pytest
from made_data import make_dataset
from promoter import probabilities, promote_many, tracker_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("store")]

RIGHT = {"1": 150, "2": 190}  # of 200; the better is version 2


@pytest.fixture
def candidates(home, tmp_path):
    """Two registered versions with their predictions; gives the run of each."""
    tracker = tracker_at(home)
    dataset = make_dataset(classes=4, side=16, train=300, test=200)
    tracker.client.create_registered_model("test-model")
    runs = {}
    for version, right in RIGHT.items():
        runs[version] = tracker.start_run(f"run {version}", {})
        np.savez(tmp_path / "predictions.npz", test=probabilities(dataset.y_test, right))
        tracker.log_file(runs[version], tmp_path / "predictions.npz")
        tags = {"data_digest": dataset.digest, "image_shape": "16x16", "classes": "4", "recipe": f"recipe-{version}"}
        (home / "state" / "artifacts" / version).mkdir(parents=True)
        (home / "state" / "artifacts" / version / "MLmodel").touch()
        created = tracker.client.create_model_version(
            "test-model", f"{tracker.settings.resolved_artifact_location}/{version}", run_id=runs[version], tags=tags
        )
        assert str(created.version) == version
    return runs


@pytest.mark.long
@pytest.mark.fault(17)
@pytest.mark.parametrize("rounds", [10, pytest.param(100, marks=pytest.mark.faults)])
def test_of_two_promoters_at_once_the_better_wins_and_the_other_knows_why(
    api, home, candidates, monkeypatch, rounds, injection
):
    monkeypatch.setenv("PREFECT_API_URL", api)
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(
            target=promote_many, args=(home, mine, rival, candidates[mine], RIGHT[mine], rounds, barrier, answers)
        )
        for mine, rival in (("1", "2"), ("2", "1"))
    ]
    for process in processes:
        process.start()
    try:
        told = [answers.get(timeout=240) for _ in range(rounds)]
        for process in processes:
            process.join(60)
    finally:
        for process in processes:
            process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    injection.count = rounds
    assert [serves for serves, _ in told] == ["2"] * rounds
    first = 0
    for _, ((loser, its_reason), (winner, reason)) in told:
        assert winner == "promoted"
        assert "McNemar" in reason or "no champion" in reason
        if loser == "not promoted":  # it came second
            assert "McNemar" in its_reason
        else:  # it came first, into an empty place
            assert "no champion" in its_reason
            assert "McNemar" in reason
            first += 1
    print(f"the worse one came first in {first} of {rounds} rounds")
