"""Rows 7, 8 and 16: MLflow's store locked, its server gone or stalling, an upload that is cut."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from fault_fixtures import THREE
from fault_place import Place, compare
from fault_proxy import MlflowServer, Proxy
from fault_report import recovering
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

ONE = ["middle"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(server):
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def away(api, server, proxy, tmp_path, request):
    """A place whose MLflow is the server behind the proxy, and that is patient for a few seconds only."""
    name = f"test{abs(hash(request.node.name))}"
    place = Place(tmp_path / "home", None, name, "patience: 4\n", PREFECT_API_URL=api)
    place.environment["MLFLOW_TRACKING_URI"] = proxy.address
    place.store = server.store
    yield place
    place.end()


@pytest.mark.fault(7)
@pytest.mark.parametrize("seconds", [5, pytest.param(35, marks=pytest.mark.faults)])
def test_a_locked_store_stops_no_training_and_gets_every_record_once(control, place, seconds, injection):
    """The lock is held until the training has ended, and that long after it."""
    place.environment["MLFLOW_PATIENCE"] = "600"
    place.train("middle")
    wait_for(lambda: place.step("middle"))
    with closing(sqlite3.connect(place.store, timeout=60, isolation_level=None)) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        with recovering(injection):
            wait_for(lambda: place.result("middle"))
            with pytest.raises(subprocess.TimeoutExpired):
                place.process.wait(seconds)
            locked.execute("ROLLBACK")
            status, output = place.wait()
    assert status == 0, output
    compare(control, place, ONE, injection)


WRITER = """
import sys
from pathlib import Path
from tasks.config.settings import load_settings
from tasks.tracking.run_replay import RunReplay
from tasks.tracking.tracker import Tracker

run = RunReplay(Tracker(load_settings()), Path(sys.argv[1]))
run.open(sys.argv[1], {"recipe": "writer"}, "")
print("ready", flush=True)
sys.stdin.readline()
while run.replay():
    pass
"""


@pytest.mark.fault(7)
@pytest.mark.faults
def test_eight_writers_at_once_lose_and_double_nothing(place, tmp_path, injection):
    steps = 3_000
    writers = []
    for number in range(8):
        folder = tmp_path / f"writer-{number}"
        folder.mkdir()
        lines = [
            json.dumps({"step": s, "time": 10_000 + s, "train/loss": s + number / 10}) for s in range(1, steps + 1)
        ]
        (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
        writers.append(
            subprocess.Popen(
                [sys.executable, "-c", WRITER, folder],
                cwd=place.home,
                env=place.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    with recovering(injection):
        for writer in writers:
            writer.stdin.write("\n")
            writer.stdin.flush()
        statuses = [writer.wait(240) for writer in writers]
    for writer in writers:
        writer.stdin.close()
        writer.stdout.close()
    assert statuses == [0] * 8
    counts = place.query(
        "select count(*), count(distinct step) from metrics where key = 'train/loss' group by run_uuid"
    )
    injection.lost = 8 * steps - sum(distinct for _, distinct in counts)
    injection.doubled = sum(rows - distinct for rows, distinct in counts)
    assert counts == [(steps, steps)] * 8


@pytest.mark.fault(8)
@pytest.mark.faults
def test_a_server_that_is_stopped_and_started_again_gets_every_record_once(control, away, server, proxy, injection):
    away.environment["MLFLOW_PATIENCE"] = "600"
    away.train("middle")
    wait_for(lambda: away.step("middle"))
    server.stop()
    try:
        with recovering(injection):
            wait_for(lambda: away.result("middle"))
            server.start()
            status, output = away.wait()
    finally:
        if server.process.poll() is not None:
            server.start()
    assert status == 0, output
    compare(control, away, ONE, injection)


@pytest.mark.fault(8)
def test_a_server_that_stalls_holds_up_no_training(control, away, proxy, injection):
    away.environment["MLFLOW_PATIENCE"] = "600"
    away.train("middle")
    wait_for(lambda: away.step("middle"))
    proxy.mode = "stall"
    with recovering(injection):
        wait_for(lambda: "middle: finished" in away.output())
        assert proxy.stalled
        proxy.recover()
        status, output = away.wait()
    assert status == 0, output
    compare(control, away, ONE, injection)


@pytest.mark.fault(8)
@pytest.mark.parametrize("mode", ["refuse", pytest.param("error", marks=pytest.mark.faults)])
def test_what_a_server_that_stays_away_has_missed_is_sent_later(control, away, proxy, injection, mode):
    away.train(",".join(THREE))
    wait_for(lambda: away.step("middle"))
    proxy.mode = mode
    with recovering(injection):
        status, output = away.wait()
        assert status == 1
        (sentence,) = [line for line in output.splitlines() if line.startswith("mnist: ")]
        assert "`mnist sync` sends what is missing" in sentence
        assert "Traceback" not in output
        assert away.versions() == []
        written = {recipe: away.result(recipe) for recipe in THREE}
        assert all(written.values())  # everything is on the disk
        proxy.recover()
        status, output = away.run("sync")
    assert status == 0, output
    assert "Sent: 1." in output
    assert {recipe: away.result(recipe) for recipe in THREE} == written  # nothing was trained again
    compare(control, away, THREE, injection)
    assert away.run("sync")[1] == "Nothing is unsent.\n"


@pytest.mark.fault(8)
@pytest.mark.faults
def test_a_server_that_is_away_from_the_beginning_is_not_needed_to_train(control, away, proxy, injection):
    """As a scheduled run meets it: `mnist train` says at once that the server does not answer as it should."""
    proxy.mode = "error"
    with recovering(injection):
        away.start_python("-c", f"from flows.train import train; train(recipes=['middle'], data={str(away.data)!r})")
        status, output = away.wait()
        assert (status, away.result("middle") is not None) == (1, True), output
        assert "`mnist sync`" in output
        proxy.recover()
        status, output = away.run("sync")
    assert status == 0, output
    compare(control, away, ONE, injection)


@pytest.mark.fault(16)
@pytest.mark.parametrize("number", [4, *(pytest.param(n, marks=pytest.mark.faults) for n in (1, 2, 8, 13, 18))])
def test_an_upload_that_fails_part_way_registers_nothing_and_is_completed(control, away, proxy, injection, number):
    proxy.fail_from = number
    away.train("middle")
    status, output = away.wait()
    assert status == 1, output
    assert proxy.uploads >= number
    assert away.versions() == []
    written = away.result("middle")
    proxy.recover()
    with recovering(injection):
        status, output = away.finish("middle")
    assert status == 0, output
    assert away.result("middle") == written
    compare(control, away, ONE, injection)
    assert not list((away.home / "state" / "flows").glob("*.json"))
