"""A report in Markdown, for Prefect and MLflow."""

from mnist_models.data.report import words
from mnist_models.data.report.report import ClassCounts, DataReport
from mnist_models.shown_text import in_markdown, in_title, on_screen


def to_markdown(report: DataReport) -> str:
    """Return the report as a page."""
    lines = [f"# {in_markdown(words.heading(report))}"]
    if told := words.warnings(report):
        lines.append("\n".join(f"- **Warning:** {in_markdown(each)}" for each in told))
    lines.append(
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {in_markdown(text)} |" for name, text in words.facts(report))])
    )
    if report.unreadable:
        lines.append("\n".join(f"- {in_markdown(each)}" for each in words.unreadable(report)))
    lines.append(_table(report))
    if report.command:
        lines.append(f"Train on it:\n\n```sh\n{on_screen(report.command)}\n```")
    return "\n\n".join(lines) + "\n"


def _table(report: DataReport) -> str:
    total = report.totals
    validation = ["validation"] if total.validation else []
    head = ["class", "training", *validation, "test"]
    rows = [_row(each, bool(total.validation)) for each in (*report.classes, total)]
    return "\n".join([f"| {' | '.join(head)} |", f"|---{'|--:' * (len(head) - 1)}|", *rows])


def _row(counts: ClassCounts, with_validation: bool) -> str:
    numbers = [counts.train, *([counts.validation] if with_validation else []), counts.test]
    return f"| {in_markdown(in_title(counts.name))} | {' | '.join(f'{number:,}' for number in numbers)} |"
