"""MLflow's and Prefect's sqlite files: made and upgraded by the real libraries, and killed meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from older_databases import FILES, make_old, prepare, records

from mnist_models.errors import Unavailable
from tasks.config.settings import Settings, load_settings
from tasks.databases.mlflow_store import mlflow_store, prepare_store, store_id
from tasks.databases.prefect_database import prefect_database
from tasks.databases.sqlite_file import Condition
from tasks.databases.start_checks import check_records
from tasks.tracking.tracker import Tracker

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("library", ["mlflow", "prefect"])


def look(library, home, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(home / "state"))
    file = mlflow_store(Settings.at(home)) if library == "mlflow" else prefect_database(os.environ)
    return file.look()


@pytest.mark.long
@pytest.mark.fault(22)
@BOTH
def test_a_kill_while_it_is_made_leaves_nothing_that_is_in_the_way(library, tmp_path, monkeypatch):
    assert prepare(library, tmp_path, killed_at=150) is None
    assert look(library, tmp_path, monkeypatch) is Condition.MISSING
    assert prepare(library, tmp_path) > 150
    assert look(library, tmp_path, monkeypatch) is Condition.READY
    assert [*(tmp_path / "state").glob(".*")] == []
    assert prepare(library, tmp_path) == 0  # it is not looked at a second time


@pytest.mark.long
@pytest.mark.fault(22)
@BOTH
def test_an_older_one_is_upgraded_and_keeps_its_records_whenever_it_is_killed(library, tmp_path, monkeypatch):
    make_old(library, tmp_path)
    before = records(library, tmp_path)
    assert before
    assert look(library, tmp_path, monkeypatch) is Condition.OLD
    assert prepare(library, tmp_path, killed_at=20) is None
    assert look(library, tmp_path, monkeypatch) is Condition.UNFINISHED
    assert prepare(library, tmp_path) > 20
    assert look(library, tmp_path, monkeypatch) is Condition.READY
    assert records(library, tmp_path) == before
    assert (tmp_path / f"{FILES[library]}.before-upgrade").exists()


def test_mlflow_can_work_with_what_was_upgraded(home):
    make_old("mlflow", home)
    tracker = Tracker(load_settings())
    assert tracker.experiment_id == "1"
    assert tracker.client.get_run("abc").info.run_name == "an old run"
    assert [metric.value for metric in tracker.client.get_metric_history("abc", "loss")] == [0.5]
    tracker.log(tracker.start_run("new", {}), [("loss", 1.0, 1, 1)])


def test_a_store_that_was_left_half_made_by_an_earlier_version_is_made_again(home):
    """`table _alembic_tmp_experiments already exists`, from then on at every command."""
    make_old("mlflow", home)
    with closing(sqlite3.connect(home / "state" / "mlflow.db")) as database:
        database.executescript(
            "delete from metrics; delete from runs; create table _alembic_tmp_experiments (experiment_id integer)"
        )
    assert Tracker(load_settings()).experiment_id


@pytest.mark.parametrize("command", ["train", "status", "predict 0.png", "sync", "up"])
@pytest.mark.parametrize("fault", ["newer", "damaged", "no folder"])
def test_what_no_waiting_mends_is_told_at_once_by_every_command(home, store, command, fault):
    from PIL import Image

    Image.new("L", (28, 28)).save(home / "0.png")
    if fault == "newer":
        with closing(sqlite3.connect(store, isolation_level=None)) as database:
            database.execute("update alembic_version set version_num = 'ffff12345678'")
        expected = "ffff12345678, is not known to the mlflow that is installed"
    elif fault == "damaged":
        store.write_bytes(b"no database" * 1000)
        expected = "file is not a database"
    else:
        shutil.rmtree(home / "state")
        (home / "state").write_text("a file")
        expected = "is in the way"
    done = subprocess.run(
        [sys.executable, "-m", "flows", *command.split()],
        env=os.environ | {"PREFECT_HOME": str(home / "prefect")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_of_somebody_else_is_told_with_the_name(home, store, monkeypatch):
    real = os.access
    runs = home / "state" / "runs"
    (runs / "net-seed-0-1").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: "net-seed" not in str(path) and real(path, mode))
    from tasks.config.state_folder import check_state

    with pytest.raises(Unavailable, match=r"net-seed-0-1 cannot be written to: its permissions forbid it; give"):
        check_state(load_settings())
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(Unavailable, match="it belongs to "):
        check_state(load_settings())


def test_a_locked_store_holds_up_no_command(home, store):
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("begin exclusive")
        check_records(load_settings())
    prepare_store(load_settings())


def test_a_store_has_the_same_name_wherever_its_project_is(home, tmp_path):
    one, two = Settings.at(tmp_path / "one"), Settings.at(tmp_path / "two")
    assert store_id(one) == store_id(two)
    shared = f"sqlite:///{tmp_path}/shared.db"
    assert store_id(Settings.at(tmp_path / "one", tracking_uri=shared)) != store_id(one)
    assert store_id(Settings.at(tmp_path / "one", tracking_uri="sqlite:///other.db")) != store_id(one)
