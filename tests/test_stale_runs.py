"""What the dead have left is closed, and nothing else: a real store, and processes that really hold their locks."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
from filelock import FileLock

from tasks.config.settings import load_settings
from tasks.flow_run import stale_runs
from tasks.flow_run.record import FlowRecord, RecordFile
from tasks.flow_run.stale_runs import stale_records
from tasks.tracking.tracker import Tracker

HOLDER = """
import sys
from tasks.config.settings import load_settings
from tasks.tracking.tracker import Tracker

from tasks.flow_run.record import FlowRecord, RecordFile
from tasks.flow_run.stale_runs import alive

tracker = Tracker(load_settings())
own = RecordFile(tracker.settings, FlowRecord(sys.argv[1], tracker.store_id))
with alive(tracker, own, lambda work: work()):
    parent = tracker.start_run("parent", {"prefect.flow_run_id": sys.argv[1]})
    child = tracker.start_run("child", {"prefect.flow_run_id": sys.argv[1]}, parent)
    print(parent, child, flush=True)
    sys.stdin.read()
"""


@contextmanager
def alive(tracker, flow_run_id):
    own = RecordFile(tracker.settings, FlowRecord(flow_run_id, tracker.store_id))
    with stale_runs.alive(tracker, own, lambda work: work()):
        yield own


@pytest.fixture
def tracker(store):
    return Tracker(load_settings())


@pytest.fixture
def closed_in_prefect(monkeypatch):
    """The flow runs that would be marked; a server's part in it is a matter of other tests."""
    closed = []
    monkeypatch.setattr(stale_runs, "_close_in_prefect", closed.append)
    return closed


@pytest.fixture
def holder(tracker):
    """Starts a process that holds the lock of a flow run; gives it with its parent run and child run."""
    started = []

    def start(flow_run_id):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, flow_run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        parent, child = process.stdout.readline().split()
        return process, parent, child

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def status(tracker, run_id):
    return tracker.client.get_run(run_id).info.status


@pytest.mark.slow
def test_runs_of_a_dead_process_are_closed_and_those_of_a_living_one_are_not(tracker, holder, closed_in_prefect):
    living, its_parent, its_child = holder("living")
    dead, parent, child = holder("dead")
    adopted = tracker.start_run("adopted", {"prefect.flow_run_id": "another machine's"})
    assert stale_records(tracker.settings) == []
    dead.kill()
    dead.wait()
    assert [record.flow_run_id for record in stale_records(tracker.settings)] == ["dead"]
    tracker.log(child, tags={"prefect.flow_run_id": "living"})  # it has taken this training up
    with alive(tracker, "own"):
        assert status(tracker, parent) == "KILLED"
        assert "its process died" in tracker.client.get_run(parent).data.tags["failure"]
        assert [status(tracker, run) for run in (child, its_parent, its_child, adopted)] == ["RUNNING"] * 4
    assert closed_in_prefect == ["dead"]
    assert living.poll() is None


@pytest.mark.slow
def test_a_child_of_a_dead_process_is_closed_too_and_the_files_go(tracker, holder, closed_in_prefect):
    dead, parent, child = holder("dead")
    dead.kill()
    dead.wait()
    with alive(tracker, "own") as own:
        own.update(ended="FINISHED", closed=True)
    assert [status(tracker, run) for run in (parent, child)] == ["KILLED", "KILLED"]
    assert [file.name for file in tracker.settings.flows.iterdir()] == ["reconciling.lock"]


def test_an_end_that_mlflow_has_not_heard_of_is_told_later(tracker, closed_in_prefect):
    with alive(tracker, "first") as record:
        run = tracker.start_run("parent", {"prefect.flow_run_id": "first"})
        record.update(ended="FAILED")
    with alive(tracker, "second"):
        assert status(tracker, run) == "FAILED"
    assert closed_in_prefect == []  # which has heard of it


@pytest.mark.slow
def test_another_stores_runs_wait_for_that_store(tracker, holder, closed_in_prefect, tmp_path, monkeypatch):
    dead, parent, _ = holder("dead")
    dead.kill()
    dead.wait()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    with alive(Tracker(load_settings()), "elsewhere"):
        pass
    assert status(tracker, parent) == "RUNNING"
    with alive(tracker, "own"):
        assert status(tracker, parent) == "KILLED"


@pytest.mark.slow
def test_a_store_that_is_away_leaves_it_for_the_next(tracker, holder, closed_in_prefect, monkeypatch):
    dead, parent, _ = holder("dead")
    dead.kill()
    dead.wait()
    with monkeypatch.context() as patch:
        patch.setattr(Tracker, "find_runs", lambda *_, **__: 1 / 0)
        with alive(tracker, "own"):
            pass
    assert "dead" in [record.flow_run_id for record in stale_records(tracker.settings)]
    with alive(tracker, "own"):
        assert status(tracker, parent) == "KILLED"


def test_the_lock_is_held_for_the_length_of_the_block(tracker):
    with alive(tracker, "own"):
        assert stale_records(tracker.settings) == []
    with FileLock(tracker.settings.flows / "own.lock", timeout=0):
        pass
