"""Notifications: an event in Prefect, and a POST to the webhook if one is configured."""

import logging
from typing import Any

import httpx
from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event

from mnist_models.redaction import redacted
from tasks.config.settings import load_settings
from tasks.servers.prefect_server import ui_address

logger = logging.getLogger(__name__)

PROMOTED = "mnist.champion.promoted"
SCHEDULED_RUN_FAILED = "mnist.scheduled-run.failed"
NEW_DATA = "mnist.data.changed"
WEBHOOK_SECONDS = 10.0


def notify(event: str, resource: str, text: str, **payload: Any) -> None:
    """Emit an event about a resource and send it to the webhook; a webhook that fails is logged, never raised.

    The webhook gets JSON: `text` is what chat services show, the rest is for programs.
    """
    text = redacted(text)
    content = {"event": event, "text": text, **payload}
    emit_event(event, {"prefect.resource.id": resource, "prefect.resource.name": text}, payload=content)
    webhook = load_settings().webhook
    if not webhook:
        return
    try:
        httpx.post(webhook, json=content, timeout=WEBHOOK_SECONDS).raise_for_status()
    except httpx.HTTPStatusError as refusal:
        logger.warning("the webhook was told of %s and answered %s", event, refusal.response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        logger.warning("the webhook was not told of %s: %s", event, type(error).__name__)  # its address is a secret


def tell_of_failed_schedule(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001
    """Notify of a flow run that has failed or crashed, if a schedule or a trigger started it: nobody watches it."""
    by_trigger = flow_run.created_by is not None and flow_run.created_by.type == "AUTOMATION"
    if flow_run.auto_scheduled or by_trigger:
        notify(
            SCHEDULED_RUN_FAILED,
            f"prefect.flow-run.{flow_run.id}",
            f"{flow_run.name}: {state.name}: {state.message}",
            flow_run_id=str(flow_run.id),
            url=f"{ui_address()}/runs/flow-run/{flow_run.id}",
        )
