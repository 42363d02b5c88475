"""`mnist status`."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console

from flows.cli.tables import new_table
from tasks.config.settings import Settings
from tasks.operations.deployment_status import Run, look


def print_status(settings: Settings) -> None:
    """One screen: the champion, the last runs of each deployment, what is running, what waits."""
    now = look(settings)
    console = Console()
    best = now.champion
    if best is None:
        console.print(f"Champion: none; no version of {settings.registered_model} has been promoted yet.")
    else:
        accuracy = "" if best.test_accuracy is None else f", test accuracy {best.test_accuracy:.2%}"
        console.print(f"Champion: {best.recipe}, {best.name} version {best.version}{accuracy}.", highlight=False)
    if not now.deployments:
        console.print("Deployments: none; `mnist up` creates them.", highlight=False)
    else:
        table = new_table()
        for heading in ("deployment", "last runs", "state", "began", "took"):
            table.add_column(heading, overflow="fold")
        for each in now.deployments:
            name = each.name if each.next is None else f"{each.name}\nnext {_moment(each.next)}"
            runs = each.latest or (Run("–", "", None, None, ""),)
            for number, run in enumerate(runs):
                table.add_row(name if number == 0 else "", run.name, run.state, _moment(run.began), _took(run))
        console.print(table)
    _print_list(console, "Running", now.running)
    _print_list(console, "Waiting", now.waiting)
    if now.slots is not None:
        console.print(f"Trainer slots: {now.slots[0]} of {now.slots[1]} taken.", highlight=False)


def _print_list(console: Console, title: str, runs: Iterable[Run]) -> None:
    lines = [f"{run.name}, {run.state.lower()} since {_moment(run.began)}" for run in runs]
    console.print(f"{title}: {'; '.join(lines) or 'nothing'}.", highlight=False)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%d %b %H:%M}"


def _took(run: Run) -> str:
    return "" if run.seconds is None else f"{run.seconds:,.0f} s"
