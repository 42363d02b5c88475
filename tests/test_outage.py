"""What counts as an outage of MLflow, and what becomes of a request."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE
from sqlalchemy.exc import OperationalError

from tasks.config.settings import load_settings
from tasks.flow_run.errors import RecipesFailed
from tasks.flow_run.record import FlowRecord, RecordFile, record_files
from tasks.flow_run.unsent_requests import kept_until_sent, unsent_requests
from tasks.tracking.outage import NotSent, is_mlflow_error, is_outage
from tasks.tracking.retry import worth_waiting

REQUEST = {"suite": "quick", "recipes": [], "data": "", "force": False, "promote": True}


def refused(status):
    response = requests.Response()
    response.status_code = status
    return requests.exceptions.HTTPError(response=response)


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (MlflowException("no answer"), True),
        (MlflowException("locked", error_code=TEMPORARILY_UNAVAILABLE), True),
        (requests.exceptions.ConnectionError(), True),
        (refused(500), True),
        (OperationalError("BEGIN", None, Exception("locked")), True),
        (MlflowException("(psycopg2.errors.UniqueViolation) duplicate key", error_code=BAD_REQUEST), True),
        (MlflowException("no such tag", error_code=BAD_REQUEST), False),
        (refused(403), False),
        (MlflowException("no such run", error_code=RESOURCE_DOES_NOT_EXIST), False),
    ],
    ids=repr,
)
def test_what_may_succeed_later_is_told_from_what_will_not(error, outage):
    assert is_mlflow_error(error)
    assert is_outage(error) is outage


def test_our_own_errors_are_not_mlflows():
    assert not is_mlflow_error(OSError("no space"))
    assert not is_outage(RuntimeError("a bug"))


def test_an_outage_is_waited_for_as_long_as_the_settings_say(home, monkeypatch):
    def waits(seconds, error):
        run = SimpleNamespace(start_time=datetime.now(UTC) - timedelta(seconds=seconds))
        return worth_waiting(None, run, SimpleNamespace(result=lambda **_: error))

    monkeypatch.setenv("MLFLOW_PATIENCE", "60")
    assert waits(50, MlflowException("no answer"))
    assert not waits(70, MlflowException("no answer"))
    assert not waits(0, RuntimeError("a bug"))


def own_record(settings, number, **changes):
    return RecordFile(settings, FlowRecord(f"run-{number}", "store", REQUEST | changes, "digest"))


def test_a_request_is_kept_once_until_it_is_through(home):
    settings = load_settings()
    for number in range(2):
        own = own_record(settings, number)
        with pytest.raises(NotSent, match="`mnist sync`"), kept_until_sent(settings, own):
            raise MlflowException("no answer\nand more")
        own.update(ended="FAILED", closed=True)
    (kept,) = unsent_requests(settings)
    assert (kept.request, kept.unsent, kept.flow_run_id) == (REQUEST, "no answer", "run-1")
    with pytest.raises(RuntimeError, match="a bug"), kept_until_sent(settings, own_record(settings, 2)):
        raise RuntimeError("a bug")
    with kept_until_sent(settings, own_record(settings, 3, suite="other")):
        pass
    assert unsent_requests(settings) == [kept]
    with kept_until_sent(settings, own_record(settings, 4)):
        pass
    assert unsent_requests(settings) == []
    assert not [*settings.flows.glob("*.json")]


def test_a_recipe_that_fails_is_not_mlflows_fault(home):
    settings = load_settings()
    with pytest.raises(RecipesFailed), kept_until_sent(settings, own_record(settings, 0)):
        raise RecipesFailed(["small"], {})
    assert unsent_requests(settings) == []


def test_a_record_stays_until_nothing_is_left_to_do(home):
    settings = load_settings()
    own = own_record(settings, 0)
    own.update(unsent="no answer")
    own.update(ended="FAILED", closed=True)
    assert [file.record for file in record_files(settings)] == [own.record]
    own.update(unsent="")
    assert record_files(settings) == []


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"flow_run_id": 1, "strange": 2})])
def test_a_file_that_is_no_record_is_passed_over(home, content):
    settings = load_settings()
    settings.flows.mkdir(parents=True)
    (settings.flows / "odd.json").write_text(content)
    assert record_files(settings) == []


def test_a_right_that_comes_a_moment_later_is_waited_for_and_no_other_refusal(monkeypatch):
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED

    from tasks.tracking import outage

    monkeypatch.setattr(outage, "PERMISSION_PAUSE", 0.0)
    answers = iter([MlflowException("no", PERMISSION_DENIED), "yes", MlflowException("odd", INVALID_PARAMETER_VALUE)])

    def call():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert outage.once_permitted(call) == "yes"
    with pytest.raises(MlflowException, match="odd"):
        outage.once_permitted(call)
    refused = [MlflowException("never", PERMISSION_DENIED)] * (outage.PERMISSION_TRIES + 1)
    answers = iter(refused)
    with pytest.raises(MlflowException, match="never"):
        outage.once_permitted(call)
