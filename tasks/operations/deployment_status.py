"""How things stand: the champion, and the runs of each deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tasks.config.settings import Settings
from tasks.supervision.trainer_slots import limit_name
from tasks.tracking.champion import Champion, champion
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import FlowRun

LATEST = 3
MOST = 10


@dataclass(frozen=True)
class Run:
    """One flow run."""

    name: str
    state: str
    began: datetime | None
    seconds: float | None
    message: str


@dataclass(frozen=True)
class Deployed:
    """A deployment with its latest runs, newest first, and when it runs next."""

    name: str
    latest: tuple[Run, ...]
    next: datetime | None


@dataclass(frozen=True)
class Overview:
    """Everything at once."""

    champion: Champion | None
    deployments: tuple[Deployed, ...]
    running: tuple[Run, ...]
    waiting: tuple[Run, ...]
    slots: tuple[int, int] | None  # taken and all of this machine's trainer slots


def look(settings: Settings) -> Overview:
    """Ask both servers."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        deployments = sorted(client.read_deployments(limit=MOST), key=lambda each: each.name)
        flows = {each.flow_id: client.read_flow(each.flow_id).name for each in deployments}
        try:
            limit = client.read_global_concurrency_limit_by_name(limit_name())
            slots = (limit.active_slots, limit.limit)
        except ObjectNotFound:
            slots = None
        return Overview(
            champion(Tracker(settings)),
            tuple(
                Deployed(
                    f"{flows[each.flow_id]}/{each.name}",
                    _runs(client, ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"], LATEST, each.id),
                    next((run.expected_start_time for run in _upcoming(client, each.id)), None),
                )
                for each in deployments
            ),
            _runs(client, ["RUNNING", "CANCELLING"], MOST),
            tuple(_run(each) for each in _upcoming(client) if each.state_name in ("Late", "AwaitingConcurrencySlot"))
            + _runs(client, ["PENDING"], MOST),
            slots,
        )


def _runs(client: "SyncPrefectClient", states: Sequence[str], most: int, deployment: object = None) -> tuple[Run, ...]:
    from prefect.client.schemas.sorting import FlowRunSort

    found = client.read_flow_runs(
        flow_run_filter=_filter(states, deployment), sort=FlowRunSort.START_TIME_DESC, limit=most
    )
    return tuple(_run(each) for each in found)


def _upcoming(client: "SyncPrefectClient", deployment: object = None) -> "list[FlowRun]":
    from prefect.client.schemas.sorting import FlowRunSort

    return client.read_flow_runs(
        flow_run_filter=_filter(["SCHEDULED"], deployment), sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=MOST
    )


def _filter(states: Sequence[str], deployment: object) -> "FlowRunFilter":
    from prefect.client.schemas.filters import FlowRunFilter

    wanted: dict[str, object] = {"state": {"type": {"any_": list(states)}}}
    if deployment is not None:
        wanted["deployment_id"] = {"any_": [deployment]}
    return FlowRunFilter.model_validate(wanted)


def _run(run: "FlowRun") -> Run:
    ended = run.state is not None and run.state.is_final()
    return Run(
        run.name,
        run.state_name or "",
        run.start_time or run.expected_start_time,
        run.total_run_time.total_seconds() if ended else None,
        " ".join(((run.state.message if run.state else None) or "").split()),
    )
