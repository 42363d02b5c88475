"""What a flow run comes to: the JSON summary, on the parent run and in Prefect."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.artifacts import create_markdown_artifact

from mnist_models.atomic import write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.promotion import Decision
from mnist_models.evaluation.selection import spread
from tasks.compare import Row
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.registry.champion import Champion
from tasks.tracking.links import mlflow_address
from tasks.tracking.retry import patient_task
from tasks.tracking.summary_text import to_markdown


@dataclass(frozen=True)
class Conclusion:
    """How the trainings of a flow run ended, and what was decided."""

    rows: Sequence[Row]
    candidate: Evaluated | None
    champion: Champion | None  # after the decision
    decision: Decision


def build_summary(
    context: FlowRunContext, title: str, data: Dataset, conclusion: Conclusion, seconds: float
) -> dict[str, Any]:
    """Return the summary as JSON-able data, whose form the README sketches; `title` says what was trained."""
    rows, candidate, champion = conclusion.rows, conclusion.candidate, conclusion.champion
    return {
        "flow_run_id": str(runtime.flow_run.id),
        "mlflow_run_id": context.writer.call(context.parent.ensure_open),
        "mlflow_experiment_id": context.tracker.experiment_id,
        "suite": title,
        "data": data.name,
        "pixels": data.pixels,
        "data_warnings": list(data.facts.warnings),
        "seconds": round(seconds, 2),
        "recipes": [{key: value for key, value in vars(each).items() if key != "expected"} for each in rows],
        "spread": {
            recipe: each._asdict()
            for recipe, each in spread((each.recipe, each.test_accuracy) for each in rows).items()
            if each.seeds > 1
        },
        "best": candidate.trained.name if candidate else None,
        "champion": asdict(champion) if champion else None,
        "decision": {"promoted": conclusion.decision.promote, "reason": conclusion.decision.reason},
    }


@patient_task("summarise")
def publish_summary(context: FlowRunContext, summary: dict[str, Any], file: str) -> None:
    """Write the summary to `file` if one is named, to the parent run and to a Prefect artifact."""
    content = json.dumps(summary, indent=2, allow_nan=False)
    if file:  # first, because it needs nobody else
        write_atomically(Path(file).resolve(), content + "\n")
    markdown = to_markdown(summary, mlflow_address(context.settings))
    create_markdown_artifact(markdown, key="summary", description=f"Trained: {summary['suite']}")

    def log() -> None:
        parent = context.parent.ensure_open()
        context.tracker.log_text(parent, content, "summary.json")
        context.tracker.log(parent, tags={"mlflow.note.content": to_markdown(summary, "")})

    context.writer.call(log)
