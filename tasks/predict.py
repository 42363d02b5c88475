"""What the champion sees in image files."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prefect import task
from prefect.artifacts import create_table_artifact

from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation, prepare
from mnist_models.images.read import read_image
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.request import form_field, writable_file
from tasks.registry.champion import champion_version
from tasks.supervision.model_inference import predict_images

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

ImageFolder = Annotated[str, form_field("Folder of images")]
CsvFile = Annotated[str, form_field("CSV file")]

COLUMNS = ("file", "label", "probability", "runner_up", "runner_up_probability", "problem")
MOST_ROWS_SHOWN = 1000
SUFFIXES = (".png", ".jpg", ".jpeg")


@task(name="predict", task_run_name="predict", retries=0, persist_result=False)
def predict_files(context: FlowRunContext, files: Sequence[str]) -> list[dict[str, Any]]:
    """Return label, probability and runner-up for each file, by the champion.

    Raise InvalidInput if a file is not a usable image, or there is no champion yet.
    """
    if not files:
        raise InvalidInput("files: name at least one PNG or JPEG image.")
    images = [(file, read_image(Path(file))) for file in files]
    version, preparation = _champion(context)
    prepared = []
    for file, image in images:
        try:
            prepared.append(prepare(image, preparation))
        except InvalidInput as error:
            raise InvalidInput(f"{file}: {error}") from None
    rows = _rows(files, predict_images(context, version, np.stack(prepared)))
    create_table_artifact(rows, key="predictions", description=f"{version.name} version {version.version}")
    return rows


def check_folder(folder: str, output: str) -> tuple[list[Path], Path]:
    """Return the images of a folder and the CSV file to write; raise InvalidInput if either cannot be had."""
    if not folder or not Path(folder).is_dir():
        raise InvalidInput(f"folder: {folder or 'nothing'} is not a folder; name one that holds PNG or JPEG images.")
    files = sorted(file for file in Path(folder).iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise InvalidInput(f"folder: {folder} holds no PNG or JPEG image.")
    return files, writable_file("output", output or str(Path(folder) / "predictions.csv"))


@task(name="predict folder", task_run_name="predict folder", retries=0, persist_result=False)
def predict_folder(context: FlowRunContext, files: Sequence[Path], output: Path) -> dict[str, Any]:
    """The same for many images, into a CSV file and a table artifact; one that cannot be used has its problem told.

    Raise InvalidInput if there is no champion yet, or no image can be used.
    """
    version, preparation = _champion(context)
    usable: dict[str, NDArray[np.uint8]] = {}
    problems: dict[str, str] = {}
    for file in files:
        try:
            usable[file.name] = prepare(read_image(file), preparation)
        except InvalidInput as error:
            problems[file.name] = str(error)
            logger.warning(str(error))
    if not usable:
        raise InvalidInput(
            f"folder: none of its {len(files):,} images can be used; the first: {next(iter(problems.values()))}"
        )
    probabilities = predict_images(context, version, np.stack(list(usable.values())))
    predicted = {row["file"]: row for row in _rows(list(usable), probabilities)}
    rows = [predicted.get(file.name, {"file": file.name, "problem": problems.get(file.name)}) for file in files]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"label": "Int64", "runner_up": "Int64"})
    write_atomically(output, table.to_csv(index=False))
    create_table_artifact(
        [{column: row.get(column, "") for column in COLUMNS} for row in rows[:MOST_ROWS_SHOWN]],
        key="predictions",
        description=f"{version.name} version {version.version}; all {len(files):,} rows: {output}",
    )
    context.display.say(f"{len(usable):,} of {len(files):,} images predicted by version {version.version}: {output}")
    return {"output": str(output), "predicted": len(usable), "unusable": len(problems), "version": str(version.version)}


def _champion(context: FlowRunContext) -> "tuple[ModelVersion, Preparation]":
    version = champion_version(context.tracker)
    if version is None:
        raise InvalidInput(
            f"{context.settings.registered_model}: no version has the alias {context.settings.alias!r} yet;"
            " train one first with `mnist train`."
        )
    if "preparation" not in version.tags:
        raise InvalidInput(
            f"{version.name}: version {version.version} was not registered by this pipeline, so that it is not known"
            " how to prepare images for it."
        )
    return version, Preparation.from_json(version.tags["preparation"])


def _rows(files: Sequence[str], probabilities: NDArray[np.float32]) -> list[dict[str, Any]]:
    return [
        {
            "file": file,
            "label": (first := int(best[0])),
            "probability": round(float(each[first]), 4),
            "runner_up": (second := int(best[1])),
            "runner_up_probability": round(float(each[second]), 4),
        }
        for file, each, best in zip(files, probabilities, np.argsort(-probabilities), strict=True)
    ]
