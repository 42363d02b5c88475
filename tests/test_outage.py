"""What counts as an outage of MLflow, what becomes of a request, and the thread beside a training."""

import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE
from sqlalchemy.exc import OperationalError

from mnist_models.errors import InvalidInput
from mnist_models.trainer_pool.pool import PoolClosed
from tasks.config.settings import load_settings
from tasks.flow_run.aside import Aside
from tasks.flow_run.errors import RecipesFailed
from tasks.flow_run.unsent_requests import kept_until_sent, unsent_requests
from tasks.tracking.outage import NotSent, is_mlflows, is_outage
from tasks.tracking.retry import worth_waiting

REQUEST = {"suite": "quick", "recipes": [], "data": "", "force": True, "promote": True}


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
        (refused(403), False),
        (MlflowException("no such run", error_code=RESOURCE_DOES_NOT_EXIST), False),
    ],
    ids=repr,
)
def test_what_may_succeed_later_is_told_from_what_will_not(error, outage):
    assert is_mlflows(error)
    assert is_outage(error) is outage


def test_our_own_errors_are_not_mlflows():
    assert not is_mlflows(OSError("no space"))
    assert not is_outage(RuntimeError("a bug"))


def test_an_outage_is_waited_for_as_long_as_the_settings_say(home, monkeypatch):
    def waits(seconds, error):
        run = SimpleNamespace(start_time=datetime.now(UTC) - timedelta(seconds=seconds))
        return worth_waiting(None, run, SimpleNamespace(result=lambda **_: error))

    monkeypatch.setenv("MLFLOW_PATIENCE", "60")
    assert waits(50, MlflowException("no answer"))
    assert not waits(70, MlflowException("no answer"))
    assert not waits(0, RuntimeError("a bug"))


def test_a_request_is_kept_once_until_it_is_through(home):
    settings = load_settings()
    for _ in range(2):
        with pytest.raises(NotSent, match="`mnist sync`"), kept_until_sent(settings, REQUEST, "digest"):
            raise MlflowException("no answer\nand more")
    (kept,) = unsent_requests(settings)
    assert (kept.request, kept.reason) == (REQUEST | {"force": False}, "no answer")
    with pytest.raises(RuntimeError, match="a bug"), kept_until_sent(settings, REQUEST, "digest"):
        raise RuntimeError("a bug")
    assert unsent_requests(settings) == [kept]
    with kept_until_sent(settings, REQUEST | {"force": False}, "digest"):
        pass
    assert unsent_requests(settings) == []


def test_a_recipe_that_fails_is_not_mlflows_fault(home):
    settings = load_settings()
    with pytest.raises(RecipesFailed), kept_until_sent(settings, REQUEST, "digest"):
        raise RecipesFailed(["small"], {})
    assert unsent_requests(settings) == []


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"request": {}})])
def test_a_file_that_is_no_request_is_named(home, content):
    settings = load_settings()
    settings.unsent.mkdir(parents=True)
    (settings.unsent / "odd.json").write_text(content)
    with pytest.raises(InvalidInput, match=r"odd\.json"):
        unsent_requests(settings)


def test_whoever_offers_work_is_not_held_up_by_the_work_before():
    stalled, done = threading.Event(), []
    with Aside() as aside:
        aside.offer(lambda: stalled.wait(60) and done.append("first"))
        for number in range(100):
            aside.offer(lambda number=number: done.append(number))  # refused, because the first is still at it
        aside.add(lambda: done.append("last"))
        assert done == []
        stalled.set()
    assert done == ["first", "last"]


def test_what_is_given_up_is_not_waited_for():
    stalled, done = threading.Event(), []
    aside = Aside()
    aside.offer(lambda: stalled.wait(60))
    aside.add(lambda: done.append("never"))
    aside.__exit__(PoolClosed, PoolClosed("given up"), None)
    assert not stalled.is_set()
    stalled.set()
    assert done == []
