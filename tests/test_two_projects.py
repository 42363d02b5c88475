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
