"""How things stand: the champion, and the runs of each deployment."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound

from tasks.config.settings import Settings
from tasks.registry.champion import Champion, champion
from tasks.supervision.trainer_slots import limit_name
from tasks.tracking.tracker import Tracker

LATEST = 3
MOST = 10


class Deployed(NamedTuple):
    """A deployment with its latest runs, newest first, and when it runs next."""

    name: str
    latest: list[FlowRun]
    next: datetime | None


class Overview(NamedTuple):
    """Everything at once."""

    champion: Champion | None
    deployments: list[Deployed]
    running: list[FlowRun]
    waiting: list[FlowRun]
    slots: tuple[int, int] | None  # taken and all of this machine's trainer slots


def look(settings: Settings) -> Overview:
    """Ask both servers."""
    with get_client(sync_client=True) as client:
        deployments = []
        for each in sorted(client.read_deployments(limit=MOST), key=lambda each: each.name):
            latest = _runs(client, ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"], LATEST, each.id)
            next_run = next((run.expected_start_time for run in _runs(client, ["SCHEDULED"], 1, each.id)), None)
            deployments.append(Deployed(f"{client.read_flow(each.flow_id).name}/{each.name}", latest, next_run))
        try:
            limit = client.read_global_concurrency_limit_by_name(limit_name())
            slots = (limit.active_slots, limit.limit)
        except ObjectNotFound:
            slots = None
        late = [run for run in _runs(client, ["SCHEDULED"]) if run.state_name in ("Late", "AwaitingConcurrencySlot")]
        running, pending = _runs(client, ["RUNNING", "CANCELLING"]), _runs(client, ["PENDING"])
        return Overview(champion(Tracker(settings)), deployments, running, late + pending, slots)


def _runs(
    client: SyncPrefectClient, states: list[str], limit: int = MOST, deployment: UUID | None = None
) -> list[FlowRun]:
    """Return the next of the runs that are scheduled, and the newest of others."""
    conditions: dict[str, object] = {"state": {"type": {"any_": states}}}
    if deployment:
        conditions["deployment_id"] = {"any_": [deployment]}
    sort = FlowRunSort.EXPECTED_START_TIME_ASC if "SCHEDULED" in states else FlowRunSort.START_TIME_DESC
    return client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(conditions), sort=sort, limit=limit)
