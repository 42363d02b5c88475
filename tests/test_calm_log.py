"""How loud Prefect's log is of a refusal and of a cancelled task."""

import logging

import pytest

from mnist_models.errors import InvalidInput
from mnist_models.redaction import redact_logs
from tasks.config.calm_log import calm_log


@pytest.fixture
def log(caplog, monkeypatch):
    for name in ("prefect.task_runs", "prefect"):  # other tests may have let Prefect set them up
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    for _ in range(3):  # flow runs of one process
        calm_log()
        redact_logs()
    depth, make = 0, logging.getLogRecordFactory()
    while hasattr(make, "func"):
        depth, make = depth + 1, make.args[0]
    assert depth == 2
    caplog.set_level(logging.INFO)
    yield logging.getLogger("prefect.task_runs")
    logging.setLogRecordFactory(before)


def report(log, error, *message):
    try:
        raise error
    except type(error):
        log.error(*message, exc_info=True)


@pytest.mark.parametrize(
    "message", [("Engine execution exited",), ("Task run failed: %r", InvalidInput("100% of x is empty."))], ids=str
)
def test_a_refusal_is_logged_as_its_sentence(log, caplog, message):
    report(log, InvalidInput("100% of x is empty."), *message)
    (record,) = caplog.records
    assert record.getMessage().count("100% of x is empty.") == 1
    assert "Traceback" not in caplog.text


def test_any_other_error_keeps_its_traceback(log, caplog):
    report(log, ValueError("x"), "Task run failed")
    assert "Traceback" in caplog.text


def test_waiting_for_a_slot_is_no_error(caplog, log):
    services = logging.getLogger("prefect._internal.concurrency")
    services.error("Service %r failed to process item %r", "ConcurrencySlotAcquisitionWithLeaseService", (1,))
    services.error("Service %r failed to process item %r", "APILogWorker", (1,))
    assert [each.args[0] for each in caplog.records] == ["APILogWorker"]


def test_a_cancelled_task_is_no_error_and_a_failed_one_is(log, caplog):
    for state in ("Cancelled('The training was given up.')", "Failed('x')"):
        log.error(f"Finished in state {state}")
    assert [each.levelname for each in caplog.records] == ["INFO", "ERROR"]
