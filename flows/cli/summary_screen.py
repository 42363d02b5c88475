"""The last screen of `mnist train`."""

import os
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column

from flows.cli.tables import new_table
from mnist_models.redaction import redacted
from tasks.config.library_defaults import program
from tasks.config.settings import Settings
from tasks.servers.prefect_server import is_temporary, ui_address
from tasks.tracking.links import experiment_link, mlflow_address
from tasks.tracking.summary_text import HEADINGS, cells, remarks, spread_lines, summary_run_link, verdict


def print_summary(console: Console, settings: Settings, summary: dict[str, Any]) -> None:
    """The last screen of `mnist train`: table, champion, decision, and how to open both UIs."""
    left = ("recipe", "status")
    columns = [Column(name, justify="left" if name in left else "right", no_wrap=name != "status") for name in HEADINGS]
    table = new_table(*columns)
    for each in summary["recipes"]:
        table.add_row(*cells(each))
    console.print(table)
    console.print(*remarks(summary), *spread_lines(summary), *verdict(summary), "", sep="\n", highlight=False)
    console.print(*ui_commands(settings, summary), sep="\n", highlight=False, soft_wrap=True)


def ui_commands(settings: Settings, summary: dict[str, Any]) -> list[str]:
    """The commands that open MLflow's and Prefect's UI on this very run, or just the addresses of servers."""
    uri, base = settings.resolved_tracking_uri, mlflow_address(settings)
    lines = ["See it in MLflow:"]
    if not uri.startswith("http") and is_temporary():
        store = shlex.quote(uri) if redacted(uri) == uri else '"$MLFLOW_TRACKING_URI"'  # a password stays out of sight
        program = shlex.quote(_program("mlflow"))
        lines.append(f"  {program} server --backend-store-uri {store} --host {settings.host} --port {settings.port}")
    lines.append(f"  {experiment_link(base, summary['mlflow_experiment_id'])}")
    lines += [f"  {summary_run_link(base, summary, summary['mlflow_run_id'])}", "See it in Prefect:"]
    if is_temporary():
        lines.append(f"  {shlex.quote(_program('prefect'))} server start")
    return [*lines, f"  {ui_address()}/runs/flow-run/{summary['flow_run_id']}"]


def _program(name: str) -> str:
    """How a program of this environment is called from here."""
    path = Path(program(name))
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
