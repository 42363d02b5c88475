"""The process that draws: a real one."""

import os
import signal
import subprocess
import sys

import pytest
from made_data import make_dataset

from mnist_models.data.arrays import save_arrays
from mnist_models.figures.renderer import Drawer
from mnist_models.processes.worker import JobFailed, ProcessDied


@pytest.fixture
def drawer(tmp_path):
    with Drawer(tmp_path / "logs") as drawer:
        yield drawer


@pytest.fixture
def data(tmp_path):
    return save_arrays(make_dataset(), tmp_path / "data")


def test_what_cannot_be_drawn_is_said_and_the_process_goes_on(drawer, data, tmp_path):
    for _ in range(2):
        with pytest.raises(JobFailed, match=r"AssertionError|FileNotFoundError"):
            drawer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    assert drawer._process.alive


def test_a_process_that_was_killed_is_replaced(drawer, data, tmp_path):
    first = drawer._process.pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises((ProcessDied, JobFailed)):
        drawer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    with pytest.raises(JobFailed):
        drawer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    assert drawer._process.pid != first


@pytest.mark.slow
def test_a_flow_loads_neither_matplotlib_nor_tensorflow():
    code = "import sys, flows.train, tasks.summarize; print({'matplotlib', 'tensorflow', 'keras'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
