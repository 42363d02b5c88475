"""The protocol between a worker process and its parent, with a worker that starts at once."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from waiting import wait_for

from mnist_models.errors import InvalidInput
from mnist_models.processes.child_environment import inherited_environment
from mnist_models.processes.worker import JobFailed, ProcessDied, WorkerProcess


class Echo(WorkerProcess):
    module, title = "echo_worker", "echo"


@pytest.fixture
def worker(tmp_path):
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    worker = Echo({"PYTHONPATH": folders}, tmp_path / "logs" / "echo.log")
    yield worker
    worker.stop()


def test_jobs_are_done_one_after_the_other_and_what_is_printed_goes_to_the_log(worker, tmp_path):
    for _ in range(2):
        worker.do("work\n")
    assert (tmp_path / "logs" / "echo.log").read_text().count("the job is work") == 2


def test_a_refusal_and_a_failure_leave_the_process_as_it_was(worker):
    pid = worker.pid
    with pytest.raises(InvalidInput, match=r"^job: it is refused\.$"):
        worker.do("refuse\n")
    with pytest.raises(JobFailed, match="RuntimeError: it fails"):
        worker.do("fail\n")
    worker.do("work\n")
    assert (worker.alive, worker.pid) == (True, pid)


def test_a_death_is_told_with_how_it_came(worker):
    with pytest.raises(ProcessDied, match="ended with exit status 3"):
        worker.do("die\n")
    assert not worker.alive


def test_a_kill_is_told_by_its_signal(worker):
    worker.do("work\n")
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ProcessDied, match="ended by signal 9"):
        worker.do("work\n")


def test_the_signals_that_a_whole_process_group_gets_are_the_parents_business(worker):
    worker.do("work\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker.pid, number)
    worker.do("work\n")


def test_it_ends_with_its_parent_and_leaves_no_temporary_folder(worker):
    worker.do("work\n")
    process, scratch = psutil.Process(worker.pid), Path(worker._scratch.name)
    worker._process.stdin.close()  # what the kernel does when the parent dies
    wait_for(lambda: not worker.alive)
    assert scratch.is_dir()
    worker.stop()
    assert not scratch.exists()
    assert not process.is_running()


def test_it_inherits_no_secrets(monkeypatch):
    for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_URI", "PREFECT_API_URL", "SOME_TOKEN"):
        monkeypatch.setenv(name, "http://user:secret@host")
        assert name not in inherited_environment()
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@host")
    assert "PIP_INDEX_URL" in inherited_environment()  # the process that downloads the data needs it
