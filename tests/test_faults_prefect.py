"""Rows 11 to 13: the process that serves the deployments is killed or away, and Prefect's server starts anew."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fault_place import Place, compare
from fault_report import recovering
from up_stack import BIN, Stack
from waiting import SECONDS, assert_gone, family, wait_for

from flows.deploy.automations import SILENCE

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]


class Servers:
    """Prefect's server and the process that serves the deployments, each by itself, where `mnist up` joins them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        stack.environment |= {
            "PREFECT_API_URL": stack.prefect_api,
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        }
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self, name: str, *command: object) -> None:
        with self.stack.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                env=self.stack.environment,
                cwd=self.stack.home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_server(self) -> None:
        self.start("prefect", BIN / "prefect", "server", "start", "--port", str(self.stack.settings.prefect_port))
        from tasks.servers.health_check import wait_until_answers

        assert wait_until_answers(f"{self.stack.prefect_api}/health", SECONDS)

    def serve(self) -> None:
        self.start("flows", sys.executable, "-m", "flows.deploy.runner")
        wait_for(lambda: {"train/nightly", "train/on-demand"} <= self.stack.deployments().keys())

    def kill(self, name: str) -> None:
        """`kill -9` of the process and all below it."""
        top = self.processes.pop(name)
        everyone = family(top.pid)
        for process in everyone:
            process.kill()
        top.wait()
        assert_gone(everyone)


@pytest.fixture
def servers(tmp_path):
    servers = Servers(Stack(tmp_path))
    try:
        servers.start_server()
        yield servers
    finally:
        for name in [*servers.processes]:
            servers.kill(name)


@pytest.mark.fault(11)
@pytest.mark.faults
def test_a_run_whose_processes_were_all_killed_is_marked_and_its_place_is_free(servers, injection):
    stack = servers.stack
    servers.serve()
    run = stack.trigger("train/on-demand", recipes=["small_endless"], data=str(stack.data))
    wait_for(lambda: "small_endless: step" in stack.log.read_text())
    with recovering(injection):
        servers.kill("flows")
        assert stack.wait_until_ended(run, SILENCE.total_seconds() + SECONDS) == "Crashed"
    servers.serve()
    following = stack.trigger("train/on-demand", recipes=["small"], data=str(stack.data))
    assert stack.wait_until_ended(following) == "Completed"
    slots = [each for each in stack.ask("v2/concurrency_limits/filter", {}) if each["name"].startswith("trainers-")]
    wait_for(lambda: slots and _active(stack) == 0)


def _active(stack):
    limits = stack.ask("v2/concurrency_limits/filter", {})
    return next(each["active_slots"] for each in limits if each["name"].startswith("trainers-"))


@pytest.mark.fault(12)
def test_a_training_outlives_a_restart_of_prefects_server(control, servers, empty_store, tmp_path, injection):
    place = Place(tmp_path / "home", empty_store, PREFECT_API_URL=servers.stack.prefect_api)
    try:
        place.train("middle")
        wait_for(lambda: place.step("middle"))
        os.killpg(servers.processes["prefect"].pid, signal.SIGKILL)
        servers.processes.pop("prefect").wait()
        with recovering(injection):
            servers.start_server()
            status, output = place.wait()
            if status != 0:  # it has said so, and the next run makes it good
                assert "Traceback" not in output
                status, output = place.finish("middle")
    finally:
        place.end()
    assert status == 0, output
    compare(control, place, ["middle"], injection)
    states = {each["state_name"] for each in servers.stack.ask("flow_runs/filter", {})}
    assert states <= {"Completed", "Crashed", "Failed"}


@pytest.mark.fault(13)
def test_after_a_downtime_one_run_catches_up(servers, injection):
    """Five ticks of a schedule that come while nobody serves."""
    stack = servers.stack
    servers.serve()
    servers.kill("flows")
    deployment = stack.deployments()["train/nightly"]["id"]
    # They lie in the past, as after a downtime: the scheduler makes no such runs by itself, but it does when told to.
    last = datetime.now(UTC) - timedelta(minutes=1)
    first = last - timedelta(seconds=8)
    rule = f"DTSTART:{first:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;INTERVAL=2;COUNT=5"
    parameters = {"recipes": ["small_long"], "data": str(stack.data)}
    stack.ask(f"deployments/{deployment}/schedules", [{"schedule": {"rrule": rule}, "parameters": parameters}])
    ticks = {"start_time": (first - timedelta(minutes=1)).isoformat(), "end_time": last.isoformat(), "max_runs": 5}
    stack.ask(f"deployments/{deployment}/schedule", ticks)
    of_today = {"deployment_id": {"any_": [deployment]}, "expected_start_time": {"before_": last.isoformat()}}
    late = stack.ask("flow_runs/filter", {"flow_runs": of_today})
    assert len(late) == 5
    assert all(run["auto_scheduled"] for run in late)
    with recovering(injection):
        servers.serve()
        states = [stack.wait_until_ended(run["id"]) for run in late]
    assert sorted(states) == ["Cancelled"] * 4 + ["Completed"]
