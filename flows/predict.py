"""Images in → labels out, with the champion."""

from pathlib import Path
from typing import Any

from prefect import runtime

from flows.project_flow import project_flow
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title
from tasks.flow_run.context import open_flow_run
from tasks.flow_run.labels import add_tags, project_tag, run_name
from tasks.flow_run.request import ModelName, writable_file
from tasks.predict import (
    CsvFile,
    ImageFolder,
    check_folder,
    listed_files,
    predict_files,
    predict_folder,
    predict_into,
)


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    files = _chosen(parameters["files"], parameters["list_file"])
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return run_name(f"predict {in_title(Path(files[0]).name)}{more}" if files else "predict")


def _chosen(files: list[str], list_file: str) -> list[str]:
    return files or (listed_files(list_file) if list_file else [])


@project_flow(name="predict", flow_run_name=_run_name, retries=0, persist_result=False, result_serializer="json")
def predict(
    files: list[str] = [],  # noqa: B006  as in flows/train.py
    list_file: str = "",
    model: ModelName = "",
    output: str = "",
) -> list[dict[str, Any]] | dict[str, Any]:
    """Tell what the champion sees in images; one that cannot be used has its problem told.

    Args:
        files: Paths of images of any size and common format.
        list_file: A JSON file with a list of paths instead, for more of them than Prefect's records can hold.
        model: The registered model whose champion to ask; empty for the one in mlflow.yml.
        output: A file to write the rows to instead of returning them: CSV, or a JSON object a line in a .jsonl file.
    """
    chosen = _chosen(files, list_file)
    if not chosen:
        raise InvalidInput("files: name at least one image.")
    file = writable_file("output", output) if output else None
    with open_flow_run(model) as context:
        add_tags(project_tag(context.settings))
        return predict_into(context, chosen, file) if file else predict_files(context, chosen)


def _folder_run_name() -> str:
    return run_name(f"predict {in_title(runtime.flow_run.parameters['folder'])}")


@project_flow(name="predict", flow_run_name=_folder_run_name, retries=0, persist_result=False, result_serializer="json")
def predict_batch(folder: ImageFolder, output: CsvFile = "", model: ModelName = "") -> dict[str, Any]:
    """Tell what the champion sees in all images in a folder, as a CSV file and a table.

    A run that was ended goes on where it stopped when it is started again.

    Args:
        folder: A folder of images of any size and common format, also in folders of it.
        output: The CSV file to write; empty for predictions.csv in the folder.
        model: The registered model whose champion to ask; empty for the one in mlflow.yml.
    """
    files, file = check_folder(folder, output)
    with open_flow_run(model) as context:
        add_tags(project_tag(context.settings))
        return predict_folder(context, Path(folder), files, file)
