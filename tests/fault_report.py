"""How often faults are injected, and what comes of it: `make faults` writes docs/reliability.md with it."""

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

ROWS = {
    1: "training process killed",
    2: "whole flow process killed",
    3: "Ctrl-C, SIGTERM",
    4: "exception in one recipe",
    5: "bad download",
    6: "bad parameters or data",
    7: "sqlite store locked",
    8: "MLflow's server down, failing or hanging",
    9: "NaN or infinite loss",
    10: "overlapping runs of the schedule",
    11: "worker and child killed",
    12: "Prefect's server restarted in the middle of a run",
    13: "runner down for five ticks of the schedule",
    14: "disk full",
    15: "checkpoint cut or stale",
    16: "an upload fails part-way",
    17: "two promoters at once",
    18: "cache poisoned",
    19: "hostile files",
    20: "unsafe exposure",
    21: "GPU memory exhausted (simulated)",
    22: "killed in its first ten seconds in an empty folder, or during an upgrade of a database",
    23: "the same thing asked for twice at once",
    24: "two projects on one machine",
    25: "project moved, copied or restored",
    26: "an odd environment",
}


@dataclass
class Injection:
    """One fault, and what came of it."""

    row: int
    count: int = 1  # how many were injected in one go
    survived: bool = False
    lost: int = 0  # metric records
    doubled: int = 0
    seconds: float | None = None  # from the fault until all is as it would have been without it


_injections: list[Injection] = []


def pytest_addoption(parser):
    group = parser.getgroup("faults")
    group.addoption("--fault-points", type=int, default=2, help="random points of each fault that is injected at such")
    group.addoption("--fault-seed", type=int, default=0, help="of the points, so that a failure can be replayed")
    group.addoption("--reliability", type=Path, help="the Markdown file to write the results to")


def pytest_generate_tests(metafunc):
    if "point" in metafunc.fixturenames:
        seed, points = metafunc.config.getoption("--fault-seed"), metafunc.config.getoption("--fault-points")
        metafunc.parametrize("point", range(points), ids=[f"seed-{seed}-point-{number}" for number in range(points)])


@pytest.fixture
def chance(request, point):
    """A generator of the random point, the same for the same seed."""
    return random.Random(f"{request.config.getoption('--fault-seed')} {request.node.originalname} {point}")


@pytest.fixture
def injection(request):
    """Where a test of a fault notes what it has measured; it survives if the test passes."""
    injection = Injection(request.node.get_closest_marker("fault").args[0])
    request.node.stash[_KEY] = injection
    return injection


_KEY = pytest.StashKey[Injection]()


@contextmanager
def recovering(injection):
    """Measure from the fault to the end of the block."""
    began = time.monotonic()
    yield
    injection.seconds = time.monotonic() - began


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    marker = item.get_closest_marker("fault")
    if marker is not None and (report.when == "call" or (report.when == "setup" and report.failed)):
        injection = item.stash.get(_KEY, Injection(marker.args[0]))
        injection.survived = report.passed
        if not report.skipped:
            _injections.append(injection)
    return report


def pytest_sessionfinish(session):
    file = session.config.getoption("--reliability")
    if file is not None and _injections:
        file.write_text(_table(session.config.getoption("--fault-seed")))


def _table(seed):
    lines = [
        "# Reliability",
        "",
        "What `make faults` has injected and measured, on the machine that it ran on. Each is the real fault, but for"
        " two: Prefect's scheduler is told to make the late runs of row 13, whose times lie in the past, and row 21"
        " raises the framework's own error. A test of a property counts once, whatever number of examples it tries.",
        "",
        "A fault is survived if all that must be so afterwards is so: equal weights, each metric record once, true"
        " statuses, no process left, and a clean next run. The time to recover counts from the fault until everything"
        " is as it would have been without it, a new start of the command included; the shorter of these trainings"
        " take some seconds.",
        "",
        f"The random points are moments that the command itself marks: a line, a file, a step, a row in MLflow's store."
        f" They were drawn with seed {seed}; `make faults SEED={seed}` repeats them.",
        "",
        "| # | fault | injections | survived | records lost or doubled | time to recover: median, worst |",
        "|--:|---|--:|--:|--:|--:|",
    ]
    for row, name in ROWS.items():
        of_row = [each for each in _injections if each.row == row]
        if not of_row:
            lines.append(f"| {row} | {name} | 0 | – | – | – |")
            continue
        seconds = [each.seconds for each in of_row if each.seconds is not None]
        times = f"{median(seconds):.1f} s, {max(seconds):.1f} s" if seconds else "–"
        survived, wrong = (
            sum(each.count * each.survived for each in of_row),
            sum(each.lost + each.doubled for each in of_row),
        )
        lines.append(f"| {row} | {name} | {sum(each.count for each in of_row)} | {survived} | {wrong} | {times} |")
    return "\n".join(lines) + "\n"
