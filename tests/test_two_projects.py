"""Row 24: two projects on one machine, each with its own `mnist up`."""

import pytest
from up_stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.fault(24)
def test_each_sees_and_trains_only_its_own(tmp_path):
    one, two = stacks = [Stack(tmp_path / name) for name in ("one", "two")]
    for stack in stacks:
        stack.environment["HOME"] = str(tmp_path / "user")  # the same user
    try:
        for stack in stacks:
            stack.start()
        runs = [two.trigger("train/on-demand", recipes=["small"], seed=seed, data=str(two.data)) for seed in range(4)]
        assert [two.wait_until_ended(run) for run in runs] == ["Completed"] * 4
        assert len([*(two.home / "state" / "runs").glob("small-seed-*-*.lock")]) == 4
        assert not (one.home / "state" / "runs").exists()
        shown, hidden = (stack.run("mnist", "status").stdout for stack in (two, one))
        assert "Champion: small" in shown
        assert "train small" in shown
        assert "Champion: none" in hidden
        assert "train small" not in hidden
        beside = one.run("mnist", "train", "--recipes", "small", "--data", str(one.data), "--no-promote")
        assert beside.returncode == 0, beside.stderr
        assert one.prefect_api.removesuffix("/api") in beside.stdout
        assert not (tmp_path / "user" / ".prefect" / "prefect.db").exists()
    finally:
        for stack in stacks:
            stack.end()


@pytest.mark.fault(24)
def test_on_a_server_that_is_shared_each_trains_its_own_and_a_name_is_served_once(stack, tmp_path):
    guest, third = Stack(tmp_path / "guest"), Stack(tmp_path / "third")
    for each in (guest, third):
        each.environment |= {"PREFECT_API_URL": stack.prefect_api, "MLFLOW_PROJECT": "guests"}
    guest.prefect_api = stack.prefect_api
    trained = {*(stack.home / "state").glob("runs/*")}
    try:
        guest.start()
        run = guest.trigger("train/on-demand-guests", recipes=["small"], seed=90, data=str(guest.data))
        assert guest.wait_until_ended(run) == "Completed"
        assert [*(guest.home / "state").glob("runs/small-seed-90-*/result.json")]
        assert {*(stack.home / "state").glob("runs/*")} == trained
        shown = guest.run("mnist", "status", COLUMNS="200").stdout.split()
        assert "train/nightly-guests" in shown
        assert "train/nightly" not in shown
        refused = third.run("mnist", "up")
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        for words in ("project: guests is served already", str(guest.home), "`project` in mlflow.yml"):
            assert words in refused.stderr
    finally:
        guest.end()
    assert [each for each in stack.ask("variables/filter", {}) if each["name"].startswith("mnist-up-guests")] == []
