"""`mnist predict`."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import Any

from rich.table import Column, Table

from flows.cli.launch import check_servers, quiet_settings, trainers
from flows.cli.tables import new_table
from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from mnist_models.images.files import image_files, none_usable
from mnist_models.images.prepare_file import prepared_file
from mnist_models.images.read import read_image
from mnist_models.screen import Screen
from mnist_models.shown_text import as_unicode, in_title, on_screen
from tasks.config.settings import with_model
from tasks.flow_run.request import writable_file
from tasks.progress.display import Display
from tasks.servers.prefect_server import start_temporary_server, wait_until_ready
from tasks.supervision.answer import doubt
from tasks.supervision.rows_file import LINES, LinesFile

PAGE = 1000  # rows of a table on the screen
MOST_IN_RECORDS = 20_000  # characters of all paths, up to which they are recorded with the flow run


def run_predict(given: list[str], as_json: bool, model: str = "", output: str = "") -> int:
    """Run the predict flow and print or write what it finds; return the exit status: 1 if some files cannot be used.

    Raise InvalidInput, before a flow run begins, if none can.
    """
    settings = with_model(quiet_settings(), model)
    if output and as_json:
        raise InvalidInput("--json: prints the rows; with --output, a file that ends with .jsonl has the same.")
    kept = _checked_output(output) if output else ""
    files = image_files(given)
    _check_one_is_usable(files, read_image)
    check_servers(settings)
    with TemporaryDirectory() as folder:
        file = kept or str(Path(folder) / f"rows{LINES}")
        with _shown() as display, _recordable(files) as parameters:
            server = start_temporary_server(settings)
            with trainers(settings, 1, display=display):
                from flows.predict import predict
                from tasks.predict import written
                from tasks.registry.image_champion import image_champion
                from tasks.tracking.tracker import Tracker

                preparation = image_champion(Tracker(settings)).preparation
                _check_one_is_usable(files, partial(prepared_file, preparation=preparation))
                wait_until_ready(server)
                told = predict(**parameters, model=model, output=file)
        if output:
            Screen().print(f"{written(told)}: {output}", highlight=False, soft_wrap=True)
        elif as_json:
            _print_json(LinesFile(Path(file)))
        else:
            _print_table(LinesFile(Path(file)))
    return 1 if told["unusable"] else 0


def _checked_output(output: str) -> str:
    """Return the path of the file to write, which must not be one of the images that a shell has put there."""
    if not output.lower().endswith((".csv", LINES)):
        raise InvalidInput(f"output: {in_title(output)} must end with .csv or {LINES}.")
    if as_unicode(output) != output:
        raise InvalidInput(f"output: {on_screen(output)} is no valid text, which all records need; name another.")
    return str(writable_file("output", output))


@contextmanager
def _shown() -> Iterator[Display]:
    """Show on a terminal what is waited for. Standard output is for the answer, which tells of bad files, too."""
    display = Display(Screen(stderr=True), warnings=False)
    with display.shown():
        if display.console.is_terminal:
            display.wait_for("Asking the champion")
        yield display


def _check_one_is_usable(files: Sequence[str], use: Callable[[Path], object]) -> None:
    problems = []
    for file in files:
        try:
            use(Path(file))
        except InvalidInput as error:
            problems.append(str(error))
        else:
            return
    raise InvalidInput(none_usable(problems))


@contextmanager
def _recordable(files: list[str]) -> Iterator[dict[str, Any]]:
    """Give the flow's parameters, such as Prefect can record them: in a file if they are too many, or no text."""
    if sum(map(len, files)) <= MOST_IN_RECORDS and files == [as_unicode(file) for file in files]:
        yield {"files": files}
        return
    with TemporaryDirectory() as folder:
        list_file = Path(folder) / "files.json"
        write_atomically(list_file, json.dumps(files))
        yield {"list_file": str(list_file)}


def _print_json(rows: Iterable[dict[str, Any]]) -> None:
    """Print what `json.dumps` makes of the list of all rows, without holding it."""
    before = "[\n"
    for row in rows:
        print(before, indent(json.dumps(row, indent=2), "  "), sep="", end="")
        before = ",\n"
    print("\n]")


def _print_table(rows: Iterable[dict[str, Any]]) -> None:
    """Print rows, which can be gone through again and again; those of thousands of files in a table for each page."""
    console = Screen()
    told = _Told()
    for row in rows:
        told.see(row)
    left = iter(rows)
    while page := list(islice(left, PAGE)):
        console.print(_page(page, told.any_remark))
    console.print(*told.remarks(), sep="\n", highlight=False)


def _page(rows: Sequence[dict[str, Any]], any_remark: bool) -> Table:
    headings = ("label", "probability", "runner-up", "probability")
    numbers = (Column(heading, justify="right", no_wrap=heading == "probability") for heading in headings)
    more = [Column("doubt, problem", overflow="fold")] if any_remark else []
    table = new_table(Column("file", overflow="fold"), *numbers, *more)
    for row in rows:
        cells = ("–",) * len(headings) if row["problem"] else _answer(row)
        table.add_row(on_screen(row["file"]), *cells, *([row["problem"] or doubt(row)] if more else []))
    return table


def _answer(row: dict[str, Any]) -> tuple[str, ...]:
    first, second = f"{row['probability']:.1%}", f"{row['runner_up_probability']:.1%}"
    return row["name"], first, row["runner_up_name"], second


class _Told:
    """What is said below the rows, gathered from them one by one."""

    def __init__(self) -> None:
        self._model: dict[str, Any] = {}
        self._unsure = self._several_marks = self._problem = False

    def see(self, row: dict[str, Any]) -> None:
        self._model = row
        self._unsure |= bool(row["unsure"])
        self._several_marks |= bool(row["several_marks"])
        self._problem |= bool(row["problem"])

    @property
    def any_remark(self) -> bool:
        """Whether a row has a doubt or a problem."""
        return self._unsure or self._several_marks or self._problem

    def remarks(self) -> Iterator[str]:
        """Yield who has answered, and what the words in the last column mean."""
        model = self._model
        calibrated = "calibrated" if model["temperature"] is not None else "uncalibrated"
        yield f"By {model['recipe'] or 'a model'}, {model['model']} version {model['version']}."
        if self._unsure:
            yield f"unsure: the {calibrated} probability is below {model['unsure_below']:.0%}."
        if self._several_marks:
            yield "several marks: they were read as one; give each a picture of its own."
