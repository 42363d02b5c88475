"""The process that draws: a real one."""

import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest
from made_data import make_dataset

from mnist_models.data.arrays import save_arrays
from mnist_models.figures.renderer import Renderer
from mnist_models.processes.worker import JobFailed, ProcessDied


@pytest.fixture
def renderer(tmp_path):
    with closing(Renderer(tmp_path / "logs")) as renderer:
        yield renderer


@pytest.fixture
def data(tmp_path):
    return save_arrays(make_dataset(), tmp_path / "data")


def test_what_cannot_be_drawn_is_said_and_the_process_goes_on(renderer, data, tmp_path):
    for _ in range(2):
        with pytest.raises(JobFailed, match=r"AssertionError|FileNotFoundError"):
            renderer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    assert renderer._process.alive


def test_a_process_that_was_killed_is_replaced(renderer, data, tmp_path):
    first = renderer._process.pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises((ProcessDied, JobFailed)):
        renderer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    with pytest.raises(JobFailed):
        renderer.training(tmp_path / "no run", "recipe", data, tmp_path / "figures")
    assert renderer._process.pid != first


@pytest.mark.slow
def test_a_flow_loads_neither_matplotlib_nor_tensorflow():
    code = "import sys, flows.train, tasks.summarize; print({'matplotlib', 'tensorflow', 'keras'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
