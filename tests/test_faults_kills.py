"""Rows 1 to 3: processes that are killed or interrupted at random moments, compared with an uninterrupted control.

What a signal means (row 3). Until the flow run begins to close its MLflow runs, Ctrl-C and SIGTERM end the command:
what was open is KILLED, the exit status is 130 (143 after SIGTERM), and the same command goes on where this one
stopped. From then on everything is decided and recorded. While the runs are being closed, a signal is ignored, and the
command ends as it would have; after that it only cuts short what is printed. Exit status 0 is never given for work
that is not done.
"""

import json
import os
import signal

import pytest
from fault_fixtures import THREE
from fault_moments import Moment, ignores, stop, wait_until
from fault_place import compare
from fault_report import recovering
from waiting import assert_gone, family, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ONE = ["middle"]


def states(place):
    """The states of all flow runs of this place that Prefect knows, and of their tasks."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    ids = [row[0] for row in place.query("select distinct value from tags where key = 'prefect.flow_run_id'")]
    with get_client(sync_client=True) as client:
        these = FlowRunFilter.model_validate({"id": {"any_": ids}})
        found = [*client.read_flow_runs(flow_run_filter=these), *client.read_task_runs(flow_run_filter=these)]
    return {run.state_name for run in found}


@pytest.mark.fault(1)
def test_a_trainer_killed_at_a_random_step_ends_with_the_same_weights(control, place, chance, injection):
    at = chance.randrange(1, control.step("middle"))
    process = place.train("middle")
    wait_until(Moment(f"step {at} of middle", lambda place: place.step("middle") >= at), place)
    for child in family(process.pid):
        if "mnist_models.trainer" in " ".join(child.cmdline()):
            child.kill()
    with recovering(injection):
        status, output = place.wait()
    assert status == 0, output
    compare(control, place, ONE, injection)
    assert place.query("select distinct status from runs") == [("FINISHED",)]


@pytest.mark.long
@pytest.mark.fault(2)
def test_a_flow_killed_at_a_random_moment_is_made_good_by_the_next(control, place, moment, injection):
    place.train(",".join(THREE))
    everyone = wait_until(moment, place)
    everyone += place.kill()
    assert_gone(everyone)
    finished = {file: file.stat().st_mtime_ns for file in place.files("runs/*/result.json")}
    with recovering(injection):
        status, output = place.finish(",".join(THREE))
    assert status == 0, output
    compare(control, place, THREE, injection)
    for file, written in finished.items():  # what had finished was not trained again
        assert file.stat().st_mtime_ns == written
    assert [file.name for file in place.files("flows/*")] == ["reconciling.lock"]
    # A task tells Prefect of its states by a way of its own, which takes a moment.
    wait_for(lambda: states(place) <= {"Completed", "Crashed"})


@pytest.mark.long
@pytest.mark.fault(3)
def test_a_flow_interrupted_at_a_random_moment_says_so_and_goes_on(control, place, moment, chance, injection):
    number = chance.choice([signal.SIGINT, signal.SIGTERM])
    print(number.name)
    process = place.train(",".join(THREE))
    everyone = wait_until(moment, place)
    stop(place)
    is_ignored, is_done = ignores(place, number), all_is_decided(place)
    everyone += family(process.pid)
    os.killpg(process.pid, number)
    os.killpg(process.pid, signal.SIGCONT)
    status, output = place.wait()
    print(output)
    assert_gone(everyone)
    statuses = {status for (status,) in place.query("select status from runs")}
    if is_ignored or is_done:
        assert all(place.result(recipe) for recipe in THREE)
        assert statuses == {"FINISHED"}
        assert status in ((0,) if is_ignored else (0, 128 + number)), output
    else:
        assert status == 128 + number, output
        assert statuses <= {"KILLED", "FINISHED"}
    wait_for(lambda: "Running" not in states(place))
    with recovering(injection):
        status, output = place.finish(",".join(THREE))
    assert status == 0, output
    compare(control, place, THREE, injection)


def all_is_decided(place):
    """Whether all is trained and the flow run's record is gone or says how its MLflow runs end."""
    open_records = [file for file in place.files("flows/*.json") if not json.loads(file.read_text())["ended"]]
    return not open_records and all(place.result(recipe) for recipe in THREE)
