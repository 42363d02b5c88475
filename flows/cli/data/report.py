"""`mnist data PATH`: what data are, before anything is trained on them."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from flows.cli.tables import new_table
from mnist_models.data.dataset import Dataset
from mnist_models.data.loader import prepare_data
from mnist_models.data.options import DataOptions
from mnist_models.data.report import words
from mnist_models.data.report.describe import compared, describe
from mnist_models.data.report.files import PAGE, VALUES, written_report
from mnist_models.data.report.report import ClassCounts, DataReport
from mnist_models.errors import InvalidInput
from mnist_models.screen import Screen
from mnist_models.shown_text import in_title, on_screen
from tasks.config.command_lines import train_command
from tasks.config.settings import Settings, load_settings
from tasks.config.state_folder import check_state

OFFICIAL = "mnist"
MOST_ROWS = 30  # of the table of classes; the page has all


def run_report(path: str, options: DataOptions, output: str, as_json: bool) -> int:
    """Print what the data at `path` are, and write a report with pictures; return the exit status.

    An empty path, or `mnist`, is the official MNIST. The report goes into the folder `output`, or below state/reports
    if that is empty. Raise InvalidInput, before anything is written, if the data or the folder cannot be used.
    """
    settings = load_settings()
    check_state(settings)
    given = "" if path == OFFICIAL and not Path(path).exists() else path
    target = _output_folder(output, given) if output else None
    asked = replace(options, unreadable=settings.unreadable_share)
    console = Screen(stderr=True)
    with console.status("Reading the data", refresh_per_second=4):  # on a terminal only
        dataset = prepare_data(given, settings.data, console.print, asked).dataset
    folder = target or _own_folder(settings, dataset)
    quick = describe(dataset, train_command(given, options))
    report = written_report(quick, folder)
    if report is None:
        from mnist_models.figures.data_report import write_report  # Matplotlib's fonts take a while

        with console.status("Looking at the images", refresh_per_second=4):
            report = compared(quick, dataset)
            write_report(report, dataset, folder)
    if as_json:
        print(json.dumps(report.to_json() | {"report": str(folder)}, indent=2))
    else:
        _print(Screen(), report, folder)
    return 0


def _own_folder(settings: Settings, dataset: Dataset) -> Path:
    plain = "".join(each if each.isalnum() and each.isascii() else "-" for each in dataset.name).strip("-")
    return settings.state / "reports" / f"{plain[:40] or 'data'}-{dataset.digest[:12]}"


def _output_folder(output: str, data: str) -> Path:
    folder = Path(output).resolve()
    shown = on_screen(output)
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"output: {shown} is a file; give a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / VALUES).is_file():
        raise InvalidInput(f"output: {shown} holds other files; give a new folder, or that of an earlier report.")
    if data and folder.is_relative_to(Path(data).resolve()):
        raise InvalidInput(f"output: {shown} lies in the data, of which its pictures would become a part.")
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InvalidInput(f"output: {shown} cannot be written to.")
    return folder


def _print(console: Console, report: DataReport, folder: Path) -> None:
    console.print(words.heading(report), highlight=False)
    console.print(_class_table(report))
    facts = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for name, text in words.facts(report):
        facts.add_row(name, text)
    console.print(facts)
    lines = [*words.unreadable(report), *(f"Warning: {each}" for each in words.warnings(report))]
    if lines:
        console.print("", *lines, sep="\n", highlight=False)
    console.print("\nLook at the images, of each class some:", highlight=False)
    console.print(f"  {_shown(folder / PAGE)}", highlight=False, soft_wrap=True)
    console.print("Train on it:", highlight=False)
    console.print(f"  {report.command}", highlight=False, soft_wrap=True)


def _class_table(report: DataReport) -> Table:
    total = report.totals
    validation = ["validation"] if total.validation else []
    numbers = [Column(name, justify="right", no_wrap=True) for name in ("training", *validation, "test")]
    table = new_table(Column("class", overflow="fold"), *numbers)
    for name, counts in _rows(report):
        held_out = [f"{counts.validation:,}"] if total.validation else []
        table.add_row(name, f"{counts.train:,}", *held_out, f"{counts.test:,}")
    return table


def _rows(report: DataReport) -> Iterator[tuple[str, ClassCounts]]:
    for each in report.classes[:MOST_ROWS]:
        yield in_title(each.name), each
    if rest := report.classes[MOST_ROWS:]:
        sums = replace(report, classes=rest).totals
        yield f"… and {len(rest):,} more", sums
    yield report.totals.name, report.totals


def _shown(file: Path) -> str:
    return os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file)
