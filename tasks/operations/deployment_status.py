"""How things stand: the champion, and the runs of each deployment."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import DeploymentStatus, FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound

from tasks.config.settings import Settings
from tasks.flow_run.labels import project_tag
from tasks.registry.champion import Champion, champion
from tasks.servers.prefect_server import is_shared, is_temporary
from tasks.supervision.trainer_slots import limit_name
from tasks.tracking.tracker import Tracker

LATEST = 3
MOST = 10


class Deployed(NamedTuple):
    """A deployment with its latest runs, newest first, and when it runs next."""

    name: str
    latest: list[FlowRun]
    next: datetime | None
    paused: bool  # it has a schedule that does not start anything
    served: bool  # whether a run that is due would begin


class Overview(NamedTuple):
    """Everything at once."""

    champion: Champion | None
    deployments: list[Deployed]
    running: list[FlowRun]
    waiting: list[FlowRun]
    slots: tuple[int, int] | None  # taken and all of this machine's trainer slots


class _Runs:
    """Asks for flow runs: on a server that others use too, for those of this project only."""

    def __init__(self, client: SyncPrefectClient, tags: list[str]) -> None:
        self._client, self._tags = client, tags

    def find(self, states: list[str], limit: int = MOST, deployment: UUID | None = None) -> list[FlowRun]:
        """Return the next of the runs that are scheduled, and the newest of others."""
        conditions: dict[str, object] = {"state": {"type": {"any_": states}}}
        if deployment:
            conditions["deployment_id"] = {"any_": [deployment]}
        elif self._tags:
            conditions["tags"] = {"all_": self._tags}
        sort = FlowRunSort.EXPECTED_START_TIME_ASC if "SCHEDULED" in states else FlowRunSort.START_TIME_DESC
        wanted = FlowRunFilter.model_validate(conditions)
        return self._client.read_flow_runs(flow_run_filter=wanted, sort=sort, limit=limit)


def look(settings: Settings) -> Overview:
    """Ask both servers."""
    tags = [project_tag(settings)] if is_shared() else []
    with get_client(sync_client=True) as client:
        runs, of_project = _Runs(client, tags), DeploymentFilter.model_validate({"tags": {"all_": tags or None}})
        deployments = []
        found = client.read_deployments(deployment_filter=of_project, limit=MOST)
        for each in sorted(found, key=lambda each: each.name):
            name = f"{client.read_flow(each.flow_id).name}/{each.name}"
            latest = runs.find(["COMPLETED", "FAILED", "CRASHED", "CANCELLED"], LATEST, each.id)
            next_run = next((run.expected_start_time for run in runs.find(["SCHEDULED"], 1, each.id)), None)
            served = not is_temporary() and each.status == DeploymentStatus.READY
            deployments.append(Deployed(name, latest, next_run, _is_paused(each), served))
        try:
            limit = client.read_global_concurrency_limit_by_name(limit_name())
            slots = (limit.active_slots, limit.limit)
        except ObjectNotFound:
            slots = None
        late = [run for run in runs.find(["SCHEDULED"]) if run.state_name in ("Late", "AwaitingConcurrencySlot")]
        running, waiting = runs.find(["RUNNING", "CANCELLING"]), runs.find(["PENDING", "PAUSED"])
        return Overview(champion(Tracker(settings)), deployments, running, late + waiting, slots)


def _is_paused(deployment: DeploymentResponse) -> bool:
    schedules = deployment.schedules
    return bool(schedules) and (deployment.paused or not any(each.active for each in schedules))
