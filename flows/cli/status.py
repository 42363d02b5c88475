"""`mnist status`."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from prefect.client.schemas.objects import FlowRun
from rich.table import Column

from flows.cli.tables import new_table
from mnist_models.class_titles import are_numbers, listed
from mnist_models.screen import Screen
from tasks.config.settings import Settings
from tasks.operations.deployment_status import Deployed, Overview, look
from tasks.operations.store_checks import lost_champion

ASKING = "Asking Prefect and MLflow"


def print_status(settings: Settings, as_json: bool = False) -> None:
    """One screen: the champion, the last runs of each deployment, what is running, what waits."""
    with Screen(stderr=True).status(ASKING, refresh_per_second=4):  # on a terminal only
        now, console = look(settings), Screen(highlight=False)
    if as_json:
        print(json.dumps(_plain(now), indent=2))
        return
    best = now.champion
    if best is None:
        console.print(f"Champion: none; no version of {settings.registered_model} has been promoted yet.")
    else:
        accuracy = "" if best.test_accuracy is None else f", test accuracy {best.test_accuracy:.2%} on {best.data}"
        console.print(f"Champion: {best.recipe}, {best.name} version {best.version}{accuracy}.")
        if not are_numbers(best.class_names):
            console.print(f"It knows {listed(best.class_names)}.")
        if lost := lost_champion(settings):
            console.print(f"It cannot be used: {lost}.")
    if not now.deployments:
        console.print("Deployments: none; `mnist up` creates them.")
    else:
        headings = ("deployment", "last runs", "state", "began", "took")
        table = new_table(*(Column(heading, overflow="fold") for heading in headings))
        for each in now.deployments:
            name = f"{each.name}\n{_outlook(each)}".rstrip()
            rows = [(run.name, run.state_name or "", _began(run), _took(run)) for run in each.latest]
            for number, row in enumerate(rows or [("–", "", "", "")]):
                table.add_row("" if number else name, *row)
        console.print(table)
    for title, runs in (("Running", now.running), ("Waiting", now.waiting)):
        lines = [f"{run.name}, {(run.state_name or '').lower()} since {_began(run)}" for run in runs]
        console.print(f"{title}: {'; '.join(lines) or 'nothing'}.")
    if now.slots is not None:
        console.print(f"Trainer slots: {now.slots[0]} of {now.slots[1]} taken.")


def _plain(now: Overview) -> dict[str, Any]:
    """The same as JSON-able values; times are in ISO 8601, durations in seconds."""
    deployments = [
        {
            "name": each.name,
            "next": _iso(each.next),
            "paused": each.paused,
            "latest": [_plain_run(run) for run in each.latest],
        }
        for each in now.deployments
    ]
    return {
        "champion": asdict(now.champion) if now.champion else None,
        "deployments": deployments,
        "running": [_plain_run(run) for run in now.running],
        "waiting": [_plain_run(run) for run in now.waiting],
        "trainer_slots": None if now.slots is None else dict(zip(("taken", "all"), now.slots, strict=True)),
    }


def _plain_run(run: FlowRun) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "name": run.name,
        "state": run.state_name,
        "began": _iso(run.start_time or run.expected_start_time),
        "seconds": run.total_run_time.total_seconds() if run.state and run.state.is_final() else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _outlook(deployed: Deployed) -> str:
    """When it runs next, as far as that can be promised."""
    if deployed.paused:
        return "paused"
    if deployed.next is None:
        return ""
    return f"next {_moment(deployed.next)}" + ("" if deployed.served else ",\nif `mnist up` runs")


def _began(run: FlowRun) -> str:
    return _moment(run.start_time or run.expected_start_time)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%d %b %H:%M}"


def _took(run: FlowRun) -> str:
    return f"{run.total_run_time.total_seconds():,.0f} s" if run.state and run.state.is_final() else ""
