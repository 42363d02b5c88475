"""What a flow run comes to: the JSON summary, its text for MLflow and Prefect, and the last screen."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.artifacts import create_markdown_artifact
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_models.atomic import write_atomically
from mnist_models.evaluation.promotion import Decision
from mnist_models.evaluation.selection import spread
from mnist_models.redaction import redacted
from tasks.compare import Row
from tasks.config.library_defaults import program
from tasks.config.settings import Settings
from tasks.evaluate import Evaluated
from tasks.flow_run.context import Session
from tasks.promote import Champion
from tasks.servers.prefect_server import is_temporary, ui_address
from tasks.tracking.links import curves_link, experiment_link, mlflow_address, run_link
from tasks.tracking.retry import patient_task

MOST_ROWS = 40  # of a table in a note, which MLflow cuts after 8,000 characters
HEADINGS = ("recipe", "parameters", "test accuracy, 95 %", "seconds", "status")


def build_summary(
    session: Session,
    suite: str,
    data: str,
    seconds: float,
    rows: Sequence[Row],
    candidate: Evaluated | None,
    champion: Champion | None,
    decision: Decision,
) -> dict[str, Any]:
    """The summary as JSON-able data, whose form the README describes."""
    best = candidate.trained.run.run_id if candidate else None
    return {
        "flow_run_id": str(runtime.flow_run.id),
        "mlflow_run_id": session.parent_run_id,
        "mlflow_experiment_id": session.tracker.experiment_id,
        "suite": suite,
        "data": data,
        "seconds": round(seconds, 2),
        "recipes": [{key: value for key, value in vars(each).items() if key != "expected"} for each in rows],
        "spread": {
            recipe: each._asdict()
            for recipe, each in spread((each.recipe, each.test_accuracy) for each in rows).items()
            if each.seeds > 1
        },
        "best": next((each.name for each in rows if each.mlflow_run_id == best), None) if best else None,
        "champion": asdict(champion) if champion else None,
        "decision": {"promoted": decision.promote, "reason": decision.reason},
    }


@patient_task("summarise")
def publish_summary(session: Session, summary: dict[str, Any], file: str) -> None:
    """Write the summary to `file` if one is named, to the parent run and to a Prefect artifact."""
    content = json.dumps(summary, indent=2, allow_nan=False)
    if file:  # first, because it needs nobody else
        write_atomically(Path(file).resolve(), content + "\n")
    base = mlflow_address(session.settings)
    create_markdown_artifact(to_markdown(summary, base), key="summary", description=f"Trained: {summary['suite']}")
    session.tracker.log_text(session.parent_run_id, content, "summary.json")
    session.tracker.log(session.parent_run_id, tags={"mlflow.note.content": to_markdown(summary, "")})


def to_markdown(summary: dict[str, Any], base: str) -> str:
    """What was trained, on which data, which won and why, with links to the runs in the MLflow UI at `base`."""
    shown = summary["recipes"][:MOST_ROWS]
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---|--:|--:|--:|---|",
        *(f"| {' | '.join(_linked(_cells(each), each, base, summary))} |" for each in shown),
    ]
    if len(shown) < len(summary["recipes"]):
        lines.append(f"\n… and {len(summary['recipes']) - len(shown)} more, in `comparison.csv`.")
    # MLflow shows the first lines, and the rest when asked: the verdict, then what was odd.
    verdict = [f"Trained **{summary['suite']}** on {summary['data']}.", *_verdict(summary)]
    return "\n\n".join([*verdict, *_remarks(summary), "\n".join(lines), *_curves(summary, base), *_spread(summary)])


def _curves(summary: dict[str, Any], base: str) -> list[str]:
    runs = [each["mlflow_run_id"] for each in summary["recipes"] if each["mlflow_run_id"] is not None]
    return [f"[All curves together]({curves_link(base, summary['mlflow_experiment_id'], runs)})"] if runs else []


def _linked(cells: tuple[str, ...], each: dict[str, Any], base: str, summary: dict[str, Any]) -> tuple[str, ...]:
    if each["mlflow_run_id"] is None:
        return cells
    return f"[{cells[0]}]({_run_link(base, summary, each['mlflow_run_id'])})", *cells[1:]


def _run_link(base: str, summary: dict[str, Any], run_id: str) -> str:
    return run_link(base, summary["mlflow_experiment_id"], run_id)


def _spread(summary: dict[str, Any]) -> list[str]:
    return [
        f"{recipe}: {each['mean']:.2%} ± {each['sd'] * 100:.2f} points over {each['seeds']} seeds"
        for recipe, each in summary["spread"].items()
    ]


def _remarks(summary: dict[str, Any]) -> list[str]:
    """What the table has no room for."""
    lines = []
    for each in summary["recipes"]:
        if each["first_nan_step"] is not None:
            lines.append(f"{each['name']}: NaN from step {each['first_nan_step']:,} on")
        if each["reason"]:
            lines.append(f"{each['name']}: {each['reason']}")
    return lines


def _verdict(summary: dict[str, Any]) -> list[str]:
    champion, decision = summary["champion"], summary["decision"]
    if champion:
        who = f"{champion['recipe']}, {champion['name']} version {champion['version']}"
        accuracy = champion["test_accuracy"]
        first = f"Champion: {who}" + ("." if accuracy is None else f", test accuracy {accuracy:.2%}.")
    else:
        first = "Champion: none."
    outcome = "promoted" if decision["promoted"] or not summary["best"] else "not promoted"
    best = f"The best of this run, {summary['best']}, was" if summary["best"] else "Of this run nothing was"
    return [first, f"{best} {outcome}: {decision['reason']}."]


def print_summary(console: Console, settings: Settings, summary: dict[str, Any]) -> None:
    """The last screen of `mnist train`: table, champion, decision, and how to open both UIs."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in HEADINGS:
        left = heading in ("recipe", "status")
        table.add_column(heading, justify="left" if left else "right", no_wrap=heading != "status")
    for each in summary["recipes"]:
        table.add_row(*_cells(each))
    console.print(table)
    for line in [*_remarks(summary), *_spread(summary), *_verdict(summary), ""]:
        console.print(line, highlight=False)
    for line in ui_commands(settings, summary):
        console.print(line, highlight=False, soft_wrap=True)


def ui_commands(settings: Settings, summary: dict[str, Any]) -> list[str]:
    """The commands that open MLflow's and Prefect's UI on this very run, or just the addresses of servers."""
    uri, base = settings.resolved_tracking_uri, mlflow_address(settings)
    lines = ["See it in MLflow:"]
    if not uri.startswith("http") and is_temporary():
        store = shlex.quote(uri) if redacted(uri) == uri else '"$MLFLOW_TRACKING_URI"'  # a password stays out of sight
        program = shlex.quote(_program("mlflow"))
        lines.append(f"  {program} server --backend-store-uri {store} --host {settings.host} --port {settings.port}")
    lines.append(f"  {experiment_link(base, summary['mlflow_experiment_id'])}")
    lines.append(f"  {_run_link(base, summary, summary['mlflow_run_id'])}")
    lines.append("See it in Prefect:")
    if is_temporary():
        lines.append(f"  {shlex.quote(_program('prefect'))} server start")
    lines.append(f"  {ui_address()}/runs/flow-run/{summary['flow_run_id']}")
    return lines


def _program(name: str) -> str:
    """How a program of this environment is called from here."""
    path = Path(program(name))
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table, for the screen and for Markdown."""
    if each["test_accuracy"] is None:
        return each["name"], "–", "–", "–", each["status"]
    return (
        each["name"],
        f"{each['parameters']:,}",
        f"{each['test_accuracy']:.2%} ({each['test_low'] * 100:.2f}–{each['test_high'] * 100:.2f})",
        f"{each['train_seconds']:.1f}",
        each["status"],
    )
