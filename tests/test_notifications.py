"""Events and the webhook: who is told of what, and that a deaf listener ends nothing."""

import json
import logging
from uuid import uuid4

import pytest
from loopback import Handler, serving
from prefect.client.schemas.objects import CreatedBy, FlowRun
from prefect.states import Crashed, Failed

from tasks.servers.notifications import PROMOTED, SCHEDULED_RUN_FAILED, notify, tell_of_failed_schedule

pytestmark = pytest.mark.usefixtures("prefect_server", "home")


@pytest.fixture
def webhook(monkeypatch):
    """What a webhook of ours has received, and the status that it answers with."""
    received, status = [], [200]

    class Receive(Handler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status[0])
            self.end_headers()

    with serving(Receive) as server:
        monkeypatch.setenv("MLFLOW_WEBHOOK", f"http://127.0.0.1:{server.server_port}/secret-path")
        yield received, status


def test_the_webhook_is_told_in_words_and_in_fields(webhook):
    notify(PROMOTED, "mnist.model.m", "m: version 3 is the champion", model="m", version="3")
    assert webhook[0] == [
        {"event": PROMOTED, "text": "m: version 3 is the champion", "model": "m", "version": "3"},
    ]


def test_nobody_is_told_the_credentials_of_an_address(webhook):
    notify(PROMOTED, "mnist.model.m", "no answer from http://keeper:opensesame@host")
    assert webhook[0][0]["text"] == "no answer from http://***@host"


@pytest.mark.parametrize("trouble", ["refuses", "is away"])
def test_a_deaf_webhook_is_warned_of_without_its_address(webhook, monkeypatch, caplog, trouble):
    webhook[1][0] = 500
    if trouble == "is away":
        monkeypatch.setenv("MLFLOW_WEBHOOK", "http://127.0.0.1:9/secret-path")
    with caplog.at_level(logging.WARNING, "tasks"):
        notify(PROMOTED, "mnist.model.m", "text")
    assert "webhook" in caplog.text
    assert "secret-path" not in caplog.text


def flow_run(**values):
    return FlowRun(id=uuid4(), flow_id=uuid4(), name="train all", **values)


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (flow_run(auto_scheduled=True), Failed(message="not finished: conv_net")),
        (flow_run(created_by=CreatedBy(id=uuid4(), type="AUTOMATION", display_value="x")), Crashed(message="killed")),
    ],
    ids=["schedule", "trigger"],
)
def test_a_failed_run_that_nobody_watches_is_told_of(webhook, run, state):
    tell_of_failed_schedule(None, run, state)
    (told,) = webhook[0]
    assert told["event"] == SCHEDULED_RUN_FAILED
    assert told["text"] == f"train all: {state.name}: {state.message}"
    assert told["url"].endswith(f"/runs/flow-run/{run.id}")


def test_a_failed_run_that_somebody_started_is_not(webhook):
    tell_of_failed_schedule(None, flow_run(), Failed(message="x"))
    assert webhook[0] == []
