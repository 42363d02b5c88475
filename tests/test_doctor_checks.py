"""What `mnist doctor` finds: each fault for real where that is possible."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest
from homes import free_port

from tasks.config.settings import load_settings
from tasks.flow_run.record import FlowRecord, RecordFile
from tasks.operations import doctor_checks as diagnosis
from tasks.operations import store_checks
from tasks.operations.doctor_checks import findings


@pytest.fixture
def healthy(home, monkeypatch):
    """A place where nothing is wrong."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("MLFLOW_PORT", str(free_port()))
    monkeypatch.setenv("MLFLOW_PREFECT_PORT", str(free_port()))
    monkeypatch.setattr(diagnosis, "LEAST_FREE_GB", 0.0)
    return home


def found():
    return [each.what for each in findings(load_settings())]


def test_nothing_is_wrong_here(healthy, store):
    assert found() == []
    assert not (healthy / "state" / "flows").exists()  # looking changes nothing


def test_a_full_disk_is_named(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=3e8))
    monkeypatch.setattr(diagnosis, "LEAST_FREE_GB", 2.0)
    (what,) = found()
    assert f"the disk of {healthy} has 0.3 GB left" in what


def test_a_taken_port_is_named_with_the_variable(healthy, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MLFLOW_PREFECT_PORT", str(taken.getsockname()[1]))
        (finding,) = findings(load_settings())
    assert "`mnist up` cannot start: mlflow.yml: prefect_port" in finding.what
    assert "MLFLOW_PREFECT_PORT" in finding.remedy


def test_other_versions_than_those_of_the_lock_file_are_named(healthy, monkeypatch):
    real = diagnosis.version
    monkeypatch.setattr(diagnosis, "version", lambda name: "1.2.3" if name == "keras" else real(name))
    (what,) = found()
    assert what.startswith("keras: 1.2.3 is installed, and 3.")
    monkeypatch.setattr(diagnosis, "_locked", dict)  # as in an installation without the source
    (what,) = found()
    assert what.startswith("keras: 1.2.3 is installed, and")


def test_a_locked_or_damaged_store_is_named(healthy, store, monkeypatch):
    monkeypatch.setattr(store_checks, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(store, isolation_level=None)) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        (what,) = found()
        assert "cannot be written to: database is locked" in what
    store.write_bytes(b"no database" * 1000)
    (what,) = found()
    assert "cannot be read (file is not a database)" in what


@pytest.mark.parametrize("variable", ["PREFECT_API_URL", "MLFLOW_TRACKING_URI"])
def test_a_server_that_does_not_answer_is_named_without_its_password(healthy, monkeypatch, variable):
    monkeypatch.setenv(variable, f"http://user:secret@127.0.0.1:{free_port()}")
    (what,) = found()
    assert what.startswith(f"{variable}: no server answers ")
    assert "secret" not in what


@pytest.mark.slow
def test_dead_flow_runs_and_unsent_requests_are_named(healthy):
    settings = load_settings()
    RecordFile(settings, FlowRecord("one", "x")).update()
    request = {"suite": "quick", "recipes": []}
    RecordFile(settings, FlowRecord("two", "x", request, "digest", ended="FAILED", unsent="no answer")).update()
    died, unsent = findings(settings)
    assert died.what.startswith("a flow run has died")
    assert "next `mnist train`" in died.remedy
    assert (unsent.what, unsent.remedy) == ("MLflow does not have all of quick: no answer", "mnist sync")
    command = subprocess.run(
        [sys.executable, "-m", "flows", "doctor"], capture_output=True, text=True, env=os.environ | {"COLUMNS": "80"}
    )
    assert (command.returncode, command.stderr) == (1, "")
    assert "What is wrong" in command.stdout
    assert max(len(line) for line in command.stdout.splitlines()) <= 80
