"""The buttons on the page of a run in Prefect's dashboard, pressed as the page presses them."""

import sqlite3
import subprocess
from contextlib import suppress

import psutil
import pytest
from up_stack import BIN
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

SUSPENDED = {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}}
RETRY = {"type": "SCHEDULED", "name": "AwaitingRetry"}
ERROR = 40


def set_state(stack, run, state):
    answer = stack.ask(f"flow_runs/{run}/set_state", {"state": state, "force": False})
    assert answer["status"] == "ACCEPT", answer


def cancel(stack, run):
    set_state(stack, run, {"type": "CANCELLING"})
    assert stack.wait_until_ended(run) == "Cancelled"


def begin(stack, seed, **parameters):
    """A run whose training has saved something; gives its id and the training's folder."""
    run = stack.trigger(
        "train/on-demand", recipes=["small_patient"], seed=seed, data=str(stack.data), promote=False, **parameters
    )
    runs = stack.home / "state" / "runs"
    (folder,) = wait_for(lambda: [each.parent for each in runs.glob(f"small_patient-seed-{seed}-*/checkpoint.npz")])
    return run, folder


def trainers(stack):
    found = []
    for each in stack.children():
        with suppress(psutil.Error):  # it ends just now
            found += [each] if "mnist_models.trainer" in " ".join(each.cmdline()) else []
    return found


def steps(folder):
    """How many steps the log of a training holds."""
    lines = [line for line in (folder / "metrics.jsonl").read_text().splitlines() if '"train/loss"' in line]
    return len(lines)


def test_cancel_leaves_nothing_red(stack):
    run, _ = begin(stack, 70)
    cancel(stack, run)
    wait_for(lambda: not trainers(stack))
    tasks = wait_for(lambda: _ended(stack, run))
    assert {each["state_name"] for each in tasks} == {"Completed", "Cancelled"}
    wanted = {"logs": {"flow_run_id": {"any_": [run]}, "level": {"ge_": ERROR}}}
    assert [each["message"] for each in stack.ask("logs/filter", wanted)] == []


def _ended(stack, run):
    tasks = stack.ask("task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    return tasks if all(each["state_type"] in ("COMPLETED", "CANCELLED", "FAILED", "CRASHED") for each in tasks) else []


def test_cancel_ends_the_run_of_a_command_too(stack):
    command = [BIN / "mnist", "train", "--recipes", "small_patient", "--seed", "73", "--data", str(stack.data)]
    process = subprocess.Popen(command, env=stack.environment, cwd=stack.home, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: [*(stack.home / "state" / "runs").glob("small_patient-seed-73-*/checkpoint.npz")])
        wanted = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
        (run,) = stack.ask("flow_runs/filter", wanted)
        cancel(stack, run["id"])
        assert process.communicate(timeout=240)[1].startswith("mnist: The run was cancelled; the same request goes on")
        assert process.returncode == 1
    finally:
        process.kill()
        process.wait()


def test_suspend_ends_the_training_and_resume_goes_on_with_it(stack):
    run, folder = begin(stack, 71)
    set_state(stack, run, SUSPENDED)
    wait_for(lambda: not trainers(stack))
    assert stack.state(run) == "Suspended"
    status = stack.run("mnist", "status").stdout
    assert "suspended since" in status
    done = steps(folder)
    stack.ask(f"flow_runs/{run}/resume", {})
    wait_for(lambda: steps(folder) > done)
    assert stack.state(run) == "Running"
    cancel(stack, run)
    query = "select count(*) from runs where name = 'small_patient'"
    with sqlite3.connect(stack.home / "state" / "mlflow.db") as store:
        seed = " and run_uuid in (select run_uuid from tags where key = 'seed' and value = '71')"
        assert store.execute(query + seed).fetchall() == [(1,)]


@pytest.mark.faults
def test_retry_of_a_forced_run_goes_on_with_what_it_has_begun(stack):
    run, folder = begin(stack, 72, force=True)
    cancel(stack, run)
    done = steps(folder)
    set_state(stack, run, RETRY)
    wait_for(lambda: steps(folder) > done)
    assert [*folder.parent.glob(f"{folder.name}~*")] == []
    cancel(stack, run)
    again, _ = begin(stack, 72, force=True)  # another run is made anew
    wait_for(lambda: [*folder.parent.glob(f"{folder.name}~1")])
    cancel(stack, again)


def test_the_name_that_the_form_was_given_stays_and_the_tags_tell_what_it_is(stack):
    deployment = stack.deployments()["train/on-demand"]["id"]
    parameters = {"recipes": ["small"], "data": str(stack.data), "promote": False}
    content = {"name": "For Friday", "parameters": parameters}
    run = stack.ask(f"deployments/{deployment}/create_flow_run", content)["id"]
    assert stack.wait_until_ended(run) == "Completed"
    ended = stack.ask(f"flow_runs/{run}")
    assert ended["name"] == "For Friday"
    assert {"recipe:small", f"project:{stack.settings.project_name}"} <= set(ended["tags"])
    wanted = {"logs": {"flow_run_id": {"any_": [run]}, "task_run_id": {"is_null_": True}}, "sort": "TIMESTAMP_ASC"}

    def before_the_end():
        """The log comes in portions, and the last one may come after the state."""
        messages = [each["message"] for each in stack.ask("logs/filter", wanted)]
        ends = [number for number, text in enumerate(messages) if text.startswith("Finished in state")]
        return messages[: ends[0]] if ends else None

    ours = wait_for(before_the_end)
    assert ours[-2].startswith("Champion: ")
    assert "not promoted: " in ours[-1]
