"""What the champion sees in image files."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from prefect import task
from prefect.artifacts import create_table_artifact

from mnist_models import __version__
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import IN_WORDS
from mnist_models.images.files import folder_images, none_usable
from mnist_models.shown_text import as_unicode, in_title
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.request import form_field, writable_file
from tasks.progress.tally import Tally
from tasks.registry.image_champion import CLASS_NAMES, PREPARATION, TEMPERATURE, ImageChampion, image_champion
from tasks.supervision.answer import Row
from tasks.supervision.image_predictions import predict_image_files
from tasks.supervision.kept_rows import kept_rows
from tasks.supervision.rows_file import as_columns, write_rows

ImageFolder = Annotated[str, form_field("Folder of images")]
CsvFile = Annotated[str, form_field("CSV file")]

NOT_SHOWN = {"label", "runner_up", "third"}  # numbers of classes, which have names
MOST_ROWS_SHOWN = 1000


@task(name="predict", task_run_name="predict", retries=0, persist_result=False)
def predict_files(context: FlowRunContext, files: Sequence[str]) -> list[Row]:
    """Return a row for each file: its classes, probabilities and doubts by the champion, or why it cannot be used.

    Raise InvalidInput if there is no champion yet, or it cannot be used.
    """
    champion = image_champion(context.tracker)
    with Tally(context.display, context.prefect, len(files)) as tally:
        rows = list(predict_image_files(context, champion, files, tally))
    _show(rows[:MOST_ROWS_SHOWN], champion.title)
    return rows


@task(name="predict into a file", task_run_name="predict", retries=0, persist_result=False)
def predict_into(context: FlowRunContext, files: Sequence[str], output: Path) -> dict[str, Any]:
    """The same into a file, in memory that does not grow with the number of files.

    What a run has answered that was killed is not asked again, while the champion and the files stay the same. Return
    the `output`, how many files are `predicted` and `unusable`, and the `version`.

    Raise InvalidInput as well if none of the files can be used.
    """
    champion = image_champion(context.tracker)
    found = _predict_into(context, champion, files, [as_unicode(file) for file in files], output)
    cut = f"; the first {MOST_ROWS_SHOWN:,} of {len(files):,} rows" if len(files) > MOST_ROWS_SHOWN else ""
    _show(found.first, f"{champion.title}{cut}")
    return _told(champion, found, len(files), output)


@task(name="predict folder", task_run_name="predict folder", retries=0, persist_result=False)
def predict_folder(context: FlowRunContext, folder: Path, files: Sequence[str], output: Path) -> dict[str, Any]:
    """The same for the images in a folder, whose rows have their paths in it."""
    champion, where = image_champion(context.tracker), in_title(str(output))
    names = [as_unicode(os.path.relpath(file, folder)) for file in files]
    found = _predict_into(context, champion, files, names, output)
    _show(found.first, f"{champion.title}; all {len(files):,} rows: {where}")
    told = _told(champion, found, len(files), output)
    context.display.say(f"{written(told)}: {where}")
    return told


def written(told: dict[str, Any]) -> str:
    """Say what `predict_into` has done."""
    count = told["predicted"] + told["unusable"]
    return f"{told['predicted']:,} of {count:,} images predicted by version {told['version']}"


def listed_files(file: str) -> list[str]:
    """Return the paths in a JSON file, which `mnist predict` writes where they are too many for Prefect's records."""
    try:
        paths = json.loads(Path(file).read_text())
    except (OSError, ValueError):
        paths = None
    if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
        raise InvalidInput(f"list: {in_title(file)} must be a JSON file that holds a list of paths.")
    return paths


def check_folder(folder: str, output: str) -> tuple[list[str], Path]:
    """Return the images in a folder and the file to write; raise InvalidInput if either cannot be had."""
    if not folder or not Path(folder).is_dir():
        raise InvalidInput(
            f"folder: {in_title(folder) or 'nothing'} is not a folder; name one that holds images ({IN_WORDS})."
        )
    return folder_images("folder", folder), writable_file("output", output or str(Path(folder) / "predictions.csv"))


def _predict_into(
    context: FlowRunContext, champion: ImageChampion, files: Sequence[str], names: Sequence[str], output: Path
) -> "_Found":
    keys = [_key(file, name) for file, name in zip(files, names, strict=True)]
    found = _Found()
    with kept_rows(output, _answering(champion)) as kept:
        missing = [number for number, key in enumerate(keys) if key not in kept]
        if known := len(files) - len(missing):
            context.display.say(f"{known:,} of {len(files):,} images were answered before the last run was ended")
        with Tally(context.display, context.prefect, len(files), known) as tally:
            rows = predict_image_files(context, champion, [files[number] for number in missing], tally)
            with closing(rows):
                for number, row in zip(missing, rows, strict=True):
                    kept.add(keys[number], row | {"file": names[number]})
        if any(not kept[key]["problem"] for key in keys):
            write_rows(output, found.looked_at(kept[key] for key in keys))
        problems = [] if found.predicted else [kept[key]["problem"] for key in keys]
    if problems:
        raise InvalidInput(none_usable(problems))
    return found


def _told(champion: ImageChampion, found: "_Found", count: int, output: Path) -> dict[str, Any]:
    return {
        "output": as_unicode(str(output)),
        "predicted": found.predicted,
        "unusable": count - found.predicted,
        "version": str(champion.registered.version),
    }


class _Found:
    """What rows amount to that are gone through once."""

    def __init__(self) -> None:
        self.predicted, self.first = 0, list[Row]()

    def looked_at(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self.predicted += not row["problem"]
            if len(self.first) < MOST_ROWS_SHOWN:
                self.first.append(row)
            yield row


def _key(file: str, name: str) -> str:
    """Return what changes with a file, or with what is written in its place."""
    try:
        status = Path(file).stat()
    except (OSError, ValueError):  # ValueError: it holds a zero byte
        return json.dumps([name])
    return json.dumps([name, status.st_size, status.st_mtime_ns])


def _answering(champion: ImageChampion) -> dict[str, Any]:
    """Return all that answers depend on, besides the file."""
    registered = champion.registered
    tags = {name: registered.tags.get(name) for name in (PREPARATION, TEMPERATURE, CLASS_NAMES, "recipe")}
    version = {"model": registered.name, "version": str(registered.version), "run": registered.run_id}
    return version | tags | {"program": __version__}


def _show(rows: Sequence[Row], description: str) -> None:
    """Leave a table in Prefect."""
    table = [
        {column: "" if value is None else value for column, value in as_columns(row).items() if column not in NOT_SHOWN}
        for row in rows
    ]
    create_table_artifact(table, key="predictions", description=description)
