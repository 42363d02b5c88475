"""What the champion sees in image files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from prefect import task
from prefect.artifacts import create_table_artifact

from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import IN_WORDS
from mnist_models.images.files import images_in
from mnist_models.shown_text import as_unicode, in_title
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.request import form_field, writable_file
from tasks.registry.image_champion import image_champion
from tasks.supervision.image_predictions import Row, predict_image_files

ImageFolder = Annotated[str, form_field("Folder of images")]
CsvFile = Annotated[str, form_field("CSV file")]

COLUMNS = ("file", "label", "probability", "runner_up", "runner_up_probability", "problem", "unsure", "several_marks")
MOST_ROWS_SHOWN = 1000


@task(name="predict", task_run_name="predict", retries=0, persist_result=False)
def predict_files(context: FlowRunContext, files: Sequence[str]) -> list[Row]:
    """Return a row for each file: label, probabilities and doubts by the champion, or why it cannot be used.

    Raise InvalidInput if there is no champion yet, or it cannot be used.
    """
    if not files:
        raise InvalidInput("files: name at least one image.")
    champion = image_champion(context.tracker)
    rows = predict_image_files(context, champion, files)
    _show(rows, champion.title)
    return rows


def listed_files(file: str) -> list[str]:
    """Return the paths in a JSON file, which `mnist predict` writes where they are too many for Prefect's records."""
    try:
        paths = json.loads(Path(file).read_text())
    except (OSError, ValueError):
        paths = None
    if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
        raise InvalidInput(f"list: {in_title(file)} must be a JSON file that holds a list of paths.")
    return paths


def check_folder(folder: str, output: str) -> tuple[list[Path], Path]:
    """Return the images of a folder and the CSV file to write; raise InvalidInput if either cannot be had."""
    if not folder or not Path(folder).is_dir():
        raise InvalidInput(
            f"folder: {in_title(folder) or 'nothing'} is not a folder; name one that holds images ({IN_WORDS})."
        )
    files = images_in(Path(folder))
    if not files:
        raise InvalidInput(f"folder: {in_title(folder)} holds no image ({IN_WORDS}).")
    return files, writable_file("output", output or str(Path(folder) / "predictions.csv"))


@task(name="predict folder", task_run_name="predict folder", retries=0, persist_result=False)
def predict_folder(context: FlowRunContext, files: Sequence[Path], output: Path) -> dict[str, Any]:
    """The same for many images, into a CSV file and a table artifact; one that cannot be used has its problem told.

    Raise InvalidInput if there is no champion yet, or no image can be used.
    """
    champion = image_champion(context.tracker)
    rows = predict_image_files(context, champion, [str(file) for file in files])
    for row, file in zip(rows, files, strict=True):
        row["file"] = as_unicode(file.name)
    problems = [row["problem"] for row in rows if row["problem"]]
    if len(problems) == len(rows):
        raise InvalidInput(f"folder: none of its {len(files):,} images can be used; the first: {problems[0]}")
    whole_numbers = {"label": "Int64", "runner_up": "Int64", "unsure": "boolean", "several_marks": "boolean"}
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(whole_numbers)
    write_atomically(output, table.to_csv(index=False))
    _show(rows, f"{champion.title}; all {len(files):,} rows: {in_title(str(output))}")
    version, predicted = str(champion.registered.version), len(rows) - len(problems)
    where = in_title(str(output))
    context.display.say(f"{predicted:,} of {len(files):,} images predicted by version {version}: {where}")
    return {"output": as_unicode(str(output)), "predicted": predicted, "unusable": len(problems), "version": version}


def _show(rows: Sequence[Row], description: str) -> None:
    """Leave a table in Prefect."""
    shown = [{column: "" if row[column] is None else row[column] for column in COLUMNS} for row in rows]
    create_table_artifact(shown[:MOST_ROWS_SHOWN], key="predictions", description=description)
