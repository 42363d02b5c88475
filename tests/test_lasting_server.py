"""Prefect's server as `mnist up` starts it: a busy database is a line, any other error is told in full."""

import logging
import sqlite3
from functools import partial

import pytest

from tasks.servers.lasting_server import _calm_record


@pytest.fixture
def told(monkeypatch, caplog):
    """What a logger has written after an error."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(partial(_calm_record, before))

    def tell(error):
        caplog.clear()
        try:
            try:
                raise error
            except Exception as inner:
                raise RuntimeError("a service has failed") from inner
        except RuntimeError:
            logging.getLogger("prefect.server").exception("Error during periodic flush; continuing")
        return caplog.text

    yield tell
    logging.setLogRecordFactory(before)


def test_a_busy_database_is_one_line(told):
    text = told(sqlite3.OperationalError("database is locked"))
    assert len(text.splitlines()) == 1
    assert "WARNING" in text
    assert "The database was busy, and Prefect tries again: prefect.server" in text


def test_another_error_is_told_in_full(told):
    text = told(sqlite3.OperationalError("no such table: flow_run"))
    assert "Error during periodic flush" in text
    assert "Traceback" in text
    assert "no such table" in text
