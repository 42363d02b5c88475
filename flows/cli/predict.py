"""`mnist predict`."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Column

from flows.cli.launch import check_servers, quiet_settings, trainers
from flows.cli.tables import new_table
from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from mnist_models.images.files import image_files
from mnist_models.images.read import read_image
from mnist_models.screen import Screen
from mnist_models.shown_text import as_unicode, on_screen
from tasks.config.settings import with_model
from tasks.progress.display import Display
from tasks.servers.prefect_server import start_temporary_server, wait_until_ready

MOST_IN_RECORDS = 20_000  # characters of all paths, up to which they are recorded with the flow run


def run_predict(given: list[str], as_json: bool, model: str = "") -> int:
    """Run the predict flow and print what it finds; return the exit status: 1 if some files cannot be used.

    Raise InvalidInput, before a flow run begins, if none can.
    """
    settings = with_model(quiet_settings(), model)
    files = image_files(given)
    _check_one_is_usable(files, read_image)
    check_servers(settings)
    with _shown() as display, _recordable(files) as parameters:
        server = start_temporary_server(settings)
        with trainers(settings, 1, display=display):
            from flows.predict import predict
            from tasks.registry.image_champion import image_champion
            from tasks.supervision.image_predictions import prepared_file
            from tasks.tracking.tracker import Tracker

            preparation = image_champion(Tracker(settings)).preparation
            _check_one_is_usable(files, partial(prepared_file, preparation=preparation))
            wait_until_ready(server)
            rows = predict(**parameters, model=model)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print_table(rows)
    return 1 if any(row["problem"] for row in rows) else 0


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
    raise _none_usable(problems)


def _none_usable(problems: Sequence[str]) -> InvalidInput:
    if len(problems) == 1:
        return InvalidInput(problems[0])
    return InvalidInput(f"none of the {len(problems):,} files can be used; the first: {problems[0]}")


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


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    from tasks.supervision.image_predictions import doubt

    console = Screen()
    headings = ("label", "probability", "runner-up", "probability")
    numbers = (Column(heading, justify="right", no_wrap=True) for heading in headings)
    remarks = [row["problem"] or doubt(row) for row in rows]
    more = [Column("doubt, problem", overflow="fold")] if any(remarks) else []
    table = new_table(Column("file", overflow="fold"), *numbers, *more)
    for row, remark in zip(rows, remarks, strict=True):
        cells = ("–",) * len(headings) if row["problem"] else _answer(row)
        table.add_row(on_screen(row["file"]), *cells, *([remark] if more else []))
    console.print(table)
    console.print(*_remarks(rows), sep="\n", highlight=False)


def _answer(row: dict[str, Any]) -> tuple[str, ...]:
    first, second = f"{row['probability']:.1%}", f"{row['runner_up_probability']:.1%}"
    return str(row["label"]), first, str(row["runner_up"]), second


def _remarks(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield who has answered, and what the words in the last column mean."""
    model = rows[0]
    calibrated = "calibrated" if model["temperature"] is not None else "uncalibrated"
    yield f"By {model['recipe'] or 'a model'}, {model['model']} version {model['version']}."
    if any(row["unsure"] for row in rows):
        yield f"unsure: the {calibrated} probability is below {model['unsure_below']:.0%}."
    if any(row["several_marks"] for row in rows):
        yield "several marks: they were read as one; give each a picture of its own."
