"""The last screen of `mnist train`."""

import shlex
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from flows.cli.tables import new_table
from tasks.config.command_lines import shown_program
from tasks.config.settings import Settings
from tasks.servers.prefect_server import is_temporary, ui_address
from tasks.tracking.links import experiment_link, mlflow_address
from tasks.tracking.summary_text import (
    HEADINGS,
    WHICH_DECIDES,
    cells,
    remarks,
    spread_lines,
    summary_run_link,
    verdict,
)

LEFT = ("recipe", "status")
WRAPPED = ("recipe", "test accuracy, 95 %")
WIDEST = 1000
LEAST_TELLING = ("parameters", "seconds")


def print_summary(console: Console, settings: Settings, summary: dict[str, Any]) -> None:
    """The last screen of `mnist train`: table, champion, decision, and how to open both UIs."""
    console.print(_table(console, summary))
    lines = [*remarks(summary), *spread_lines(summary), *verdict(summary)]
    if sum(each["test_accuracy"] is not None for each in summary["recipes"]) > 1:
        lines.insert(0, WHICH_DECIDES)
    console.print(*lines, "", sep="\n", highlight=False, markup=False)
    console.print(*ui_commands(settings, summary), sep="\n", highlight=False, markup=False, soft_wrap=True)


def _table(console: Console, summary: dict[str, Any]) -> Table:
    """A row for each training; of what a narrow terminal has no room for, the least telling columns are left out."""
    rows = [cells(each) for each in summary["recipes"]]
    shown, unlimited = [*HEADINGS], console.options.update(width=WIDEST)
    while True:
        columns = [
            Column(name, justify="left" if name in LEFT else "right", no_wrap=name not in WRAPPED, overflow="fold")
            for name in shown
        ]
        table = new_table(*columns)
        for row in rows:
            table.add_row(*(cell for name, cell in zip(HEADINGS, row, strict=True) if name in shown))
        left_out = [name for name in LEAST_TELLING if name in shown]
        if not left_out or console.measure(table, options=unlimited).maximum <= console.width:
            return table
        shown.remove(left_out[0])


def ui_commands(settings: Settings, summary: dict[str, Any]) -> list[str]:
    """The addresses of this very run in both UIs, after the command that starts their servers if none runs."""
    base = mlflow_address(settings)
    lines = ["Start the servers to see it:", f"  {shlex.quote(shown_program('mnist'))} up"] if is_temporary() else []
    return [
        *lines,
        "See it in MLflow:",
        f"  {experiment_link(base, summary['mlflow_experiment_id'])}",
        f"  {summary_run_link(base, summary, summary['mlflow_run_id'])}",
        "See it in Prefect:",
        f"  {ui_address()}/runs/flow-run/{summary['flow_run_id']}",
    ]
