"""`mnist status`."""

from datetime import datetime

from prefect.client.schemas.objects import FlowRun
from rich.console import Console
from rich.table import Column

from flows.cli.tables import new_table
from tasks.config.settings import Settings
from tasks.operations.deployment_status import look


def print_status(settings: Settings) -> None:
    """One screen: the champion, the last runs of each deployment, what is running, what waits."""
    now, console = look(settings), Console(highlight=False)
    best = now.champion
    if best is None:
        console.print(f"Champion: none; no version of {settings.registered_model} has been promoted yet.")
    else:
        accuracy = "" if best.test_accuracy is None else f", test accuracy {best.test_accuracy:.2%} on {best.data}"
        console.print(f"Champion: {best.recipe}, {best.name} version {best.version}{accuracy}.")
    if not now.deployments:
        console.print("Deployments: none; `mnist up` creates them.")
    else:
        headings = ("deployment", "last runs", "state", "began", "took")
        table = new_table(*(Column(heading, overflow="fold") for heading in headings))
        for each in now.deployments:
            name = each.name if each.next is None else f"{each.name}\nnext {_moment(each.next)}"
            rows = [(run.name, run.state_name or "", _began(run), _took(run)) for run in each.latest]
            for number, row in enumerate(rows or [("–", "", "", "")]):
                table.add_row("" if number else name, *row)
        console.print(table)
    for title, runs in (("Running", now.running), ("Waiting", now.waiting)):
        lines = [f"{run.name}, {(run.state_name or '').lower()} since {_began(run)}" for run in runs]
        console.print(f"{title}: {'; '.join(lines) or 'nothing'}.")
    if now.slots is not None:
        console.print(f"Trainer slots: {now.slots[0]} of {now.slots[1]} taken.")


def _began(run: FlowRun) -> str:
    return _moment(run.start_time or run.expected_start_time)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%d %b %H:%M}"


def _took(run: FlowRun) -> str:
    return f"{run.total_run_time.total_seconds():,.0f} s" if run.state and run.state.is_final() else ""
