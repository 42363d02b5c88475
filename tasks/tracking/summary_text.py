"""What a flow run comes to, in words: the Markdown for MLflow and Prefect, and the lines of the last screen."""

from typing import Any

from mnist_models.data.assembly.pixel_scale import IMAGE_FILES, PLAIN_PIXELS
from mnist_models.shown_text import in_markdown
from tasks.tracking.links import curves_link, run_link

MOST_ROWS = 40  # of a table in a note, which MLflow cuts after 8,000 characters
HEADINGS = ("recipe", "parameters", "validation", "test accuracy, 95 %", "seconds", "status")
WHICH_DECIDES = "The accuracy in validation decides which is best; the test set only measures it."


def to_markdown(summary: dict[str, Any], base: str) -> str:
    """What was trained, on which data, which won and why, with links to the runs in the MLflow UI at `base`."""
    shown = summary["recipes"][:MOST_ROWS]
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---|--:|--:|--:|--:|---|",
        *(f"| {' | '.join(_linked(cells(each), each, base, summary))} |" for each in shown),
    ]
    if len(shown) < len(summary["recipes"]):
        lines.append(f"\n… and {len(summary['recipes']) - len(shown)} more, in `comparison.csv`.")
    # MLflow shows the first lines, and the rest when asked: the verdict, then what was odd.
    first = f"Trained **{in_markdown(summary['suite'])}** on {in_markdown(summary['data'])}."
    said = map(in_markdown, [*verdict(summary), *remarks(summary)])  # reasons quote errors, which quote anything
    return "\n\n".join([first, *said, "\n".join(lines), *_curves(summary, base), *spread_lines(summary)])


def _curves(summary: dict[str, Any], base: str) -> list[str]:
    runs = [each["mlflow_run_id"] for each in summary["recipes"] if each["mlflow_run_id"] is not None]
    return [f"[All curves together]({curves_link(base, summary['mlflow_experiment_id'], runs)})"] if runs else []


def _linked(cells: tuple[str, ...], each: dict[str, Any], base: str, summary: dict[str, Any]) -> tuple[str, ...]:
    if each["mlflow_run_id"] is None:
        return cells
    return f"[{cells[0]}]({summary_run_link(base, summary, each['mlflow_run_id'])})", *cells[1:]


def summary_run_link(base: str, summary: dict[str, Any], run_id: str) -> str:
    """Return the page of a run, in the UI at `base`."""
    return run_link(base, summary["mlflow_experiment_id"], run_id)


def spread_lines(summary: dict[str, Any]) -> list[str]:
    """Return a line for each recipe with several seeds."""
    return [
        f"{recipe}: {each['mean']:.2%} ± {each['sd'] * 100:.2f} points over {each['seeds']} seeds"
        for recipe, each in summary["spread"].items()
    ]


def remarks(summary: dict[str, Any]) -> list[str]:
    """What the table has no room for."""
    pixels = summary.get("pixels", PLAIN_PIXELS)
    lines = [f"Pixels: {pixels}."] if pixels not in (PLAIN_PIXELS, IMAGE_FILES) else []
    lines += [f"Data: {each}." for each in summary.get("data_warnings", [])]
    for each in summary["recipes"]:
        if each["first_nan_step"] is not None:
            lines.append(f"{each['name']}: NaN from step {each['first_nan_step']:,} on")
        if each["reason"]:
            lines.append(f"{each['name']}: {each['reason']}")
    return lines


def verdict(summary: dict[str, Any]) -> list[str]:
    """Return who is the champion, and what was decided and why."""
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


def cells(each: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table, for the screen and for Markdown."""
    if each["test_accuracy"] is None:
        return each["name"], "–", "–", "–", "–", each["status"]
    validation = each["validation_accuracy"]
    return (
        each["name"],
        f"{each['parameters']:,}",
        "–" if validation is None or validation != validation else f"{validation:.2%}",
        f"{each['test_accuracy']:.2%} ({each['test_low'] * 100:.2f}–{each['test_high'] * 100:.2f})",
        f"{each['train_seconds']:.1f}",
        each["status"],
    )
