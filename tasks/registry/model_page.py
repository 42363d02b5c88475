"""What MLflow's UI says about the registered model: each version's description, and all decisions in one table.

Tags hold the same for programs. The page of a model shows their beginnings only, and of a version's description the
first 32 characters; so these say what was decided, and the model's own description has the reasons in full.
"""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mnist_models.evaluation.promotion import Decision
from mnist_models.shown_text import in_markdown, on_screen
from tasks.tracking.links import run_link

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DECISIONS = "## Decisions"  # from this heading on, a model's description is ours
MOST_VERSIONS = 20  # in the table
PENDING = {"decision": "pending", "reason": "the run that trained it has not decided yet"}


def outcome(decision: Decision) -> str:
    """In one word or two."""
    return "promoted" if decision.promote else "not promoted"


def numbers_table(decision: Decision) -> str:
    """The numbers behind a decision as a Markdown table; empty if there are none."""
    rows = [f"| {key.replace('_', ' ')} | {value:.6g} |" for key, value in decision.numbers.items()]
    return "\n".join(["| number | value |", "|---|--:|", *rows]) if rows else ""


def describe_version(version: "ModelVersion", trained: str, decision: Decision, experiment_id: str) -> str:
    """A version's description as Markdown: the decision first, then why, then what it is; `trained` says the latter."""
    parts = [
        f"{outcome(decision).capitalize()}, {_accuracy(version.tags)}",
        f"**Why:** {in_markdown(decision.reason)}.",
        f"{trained} [Its run]({run_link('', experiment_id, version.run_id or '')}) has the figures.",
        numbers_table(decision),
        how_to_serve(version.name, str(version.version)),
    ]
    return "\n\n".join(filter(None, parts))


def how_to_serve(name: str, version: str) -> str:
    """Return the two commands that serve a version and ask it about an image file, as Markdown."""
    model = shlex.quote(on_screen(f"models:/{name}/{version}"))
    asked = "curl -s http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d @-"
    return "\n".join(
        [
            "**Serve it**, with `MLFLOW_TRACKING_URI` set, and ask it about an image file:",
            "",
            f"    mlflow models serve -m {model} --env-manager local --port 5001",
            f"""    printf '{{"inputs": ["%s"]}}' "$(base64 < photo.png | tr -d '\\n')" | {asked}""",
        ]
    )


def update_model_description(client: "MlflowClient", name: str, experiment_id: str, alias: str) -> None:
    """Write the decisions about the latest versions into the model's description, under what users wrote there."""
    model = client.get_registered_model(name)
    kept, serving = (model.description or "").split(DECISIONS)[0].rstrip(), model.aliases.get(alias)
    latest = client.search_model_versions(f"name='{name}'", MOST_VERSIONS, ["version_number DESC"])
    rows = [_row(version, experiment_id, alias if version.version == serving else "") for version in latest]
    table = "\n".join(["| version | test accuracy | recipe | decision |", "|---|---|---|---|", *rows])
    client.update_registered_model(name, f"{kept}\n\n{DECISIONS}\n\n{table}\n".lstrip())


def _row(version: "ModelVersion", experiment_id: str, alias: str) -> str:
    tags = version.tags
    recipe, number = in_markdown(tags.get("recipe", "unknown")), str(version.version)
    decision, why = tags.get("decision", "none"), tags.get("reason", "something else has registered it")
    reason = f"**{in_markdown(decision)}**: {in_markdown(why)}"  # it may quote names of classes, and of others' files
    cells = (
        f"**{number}, {alias}**" if alias else number,
        _accuracy(tags),
        f"[{recipe}]({run_link('', experiment_id, version.run_id)})" if version.run_id else recipe,
        f"{reason}; **rolled back**: {in_markdown(tags['rolled_back'])}" if "rolled_back" in tags else reason,
    )
    return f"| {' | '.join(cells)} |"


def _accuracy(tags: Mapping[str, str]) -> str:
    return f"{float(tags['test_accuracy']):.2%}" if "test_accuracy" in tags else "–"
