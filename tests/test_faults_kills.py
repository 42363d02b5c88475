"""Rows 1 to 3: processes that are killed or interrupted at random points, compared with an uninterrupted control."""

import os
import signal
import time

import psutil
import pytest
from fault_fixtures import THREE
from fault_place import STEPS, assert_gone, compare, family, wait_for
from fault_report import recovering

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ONE = ["middle"]
SECONDS_TO_END = 10.0


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
    at = chance.randrange(1, STEPS)
    print(f"the trainer is killed at step {at}")
    process = place.train("middle")
    wait_for(lambda: place.step("middle") >= at or process.poll() is not None)
    trainers = [each for each in family(process.pid) if "mnist_models.trainer" in " ".join(each.cmdline())]
    (busy,) = sorted(trainers, key=lambda each: -each.cpu_times().user)[:1]
    busy.kill()
    with recovering(injection):
        status, output = place.wait()
    assert status == 0, output
    compare(control, place, ONE, injection)
    assert place.query("select distinct status from runs") == [("FINISHED",)]


@pytest.mark.fault(2)
def test_a_flow_killed_at_a_random_moment_is_made_good_by_the_next(control, places, chance, injection):
    place, everyone = _running(places, chance.uniform(0.5, control.seconds))
    everyone += place.kill()
    assert_gone(everyone)
    finished = {
        file.parent.name: file.stat().st_mtime_ns for file in (place.home / "state" / "runs").glob("*/result.json")
    }
    with recovering(injection):
        status, output = place.finish(",".join(THREE))
    assert status == 0, output
    compare(control, place, THREE, injection)
    for name, written in finished.items():  # what had finished was not trained again
        assert (place.home / "state" / "runs" / name / "result.json").stat().st_mtime_ns == written
    assert [file.name for file in (place.home / "state" / "flows").iterdir()] == ["reconciling.lock"]
    # A task tells Prefect of its states by a way of its own, which takes a moment.
    wait_for(lambda: states(place) <= {"Completed", "Crashed"}, 30)


@pytest.mark.fault(3)
def test_a_flow_interrupted_at_a_random_moment_says_so_and_goes_on(control, places, chance, injection):
    number = chance.choice([signal.SIGINT, signal.SIGTERM])
    print(number.name)
    place, everyone = _running(places, chance.uniform(0.5, 0.9 * control.seconds))
    everyone += family(place.process.pid)
    signalled = time.time()
    os.killpg(place.process.pid, number)
    began = time.monotonic()
    status, output = place.wait(60)
    seconds = time.monotonic() - began
    print(output)
    assert seconds < SECONDS_TO_END
    if status == 0:  # all was done by then, and only the servers were left to be ended
        ((ended,),) = place.query("select max(end_time) from runs")
        assert ended < 1000 * signalled, output
    assert_gone(everyone, SECONDS_TO_END - seconds)
    statuses = {status for (status,) in place.query("select status from runs")}
    assert statuses <= {"KILLED", "FINISHED"}
    wait_for(lambda: "Running" not in states(place), 30)
    with recovering(injection):
        status, output = place.finish(",".join(THREE))
    assert status == 0, output
    compare(control, place, THREE, injection)


def _running(places, after):
    """A place that trains, so many seconds after its start, and all processes that were seen below it.

    If it has ended by then, because it was quicker than the control, another is looked at a little earlier.
    """
    while True:
        place = places()
        process = place.train(",".join(THREE))
        seen: dict[int, psutil.Process] = {}
        deadline = time.monotonic() + after
        while process.poll() is None and time.monotonic() < deadline:
            seen |= {each.pid: each for each in family(process.pid)}
            time.sleep(0.1)
        if process.poll() is None:
            print(f"the flow has run for {after:.2f} s")
            return place, list(seen.values())
        after *= 0.9
