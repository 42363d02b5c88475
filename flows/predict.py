"""Images in → labels out, with the champion."""

from typing import Any

from prefect import runtime

from flows.project_flow import project_flow
from tasks.flow_run.context import open_flow_run
from tasks.flow_run.labels import add_tags, project_tag, run_name
from tasks.predict import CsvFile, ImageFolder, check_folder, predict_files, predict_folder


@project_flow(
    name="predict", flow_run_name="predict {files}", retries=0, persist_result=False, result_serializer="json"
)
def predict(files: list[str]) -> list[dict[str, Any]]:
    """Tell what the champion sees in images.

    Args:
        files: Paths of PNG or JPEG images of any size.
    """
    with open_flow_run() as context:
        add_tags(project_tag(context.settings))
        return predict_files(context, files)


def _run_name() -> str:
    return run_name(f"predict {runtime.flow_run.parameters['folder']}")


@project_flow(name="predict", flow_run_name=_run_name, retries=0, persist_result=False, result_serializer="json")
def predict_batch(folder: ImageFolder, output: CsvFile = "") -> dict[str, Any]:
    """Tell what the champion sees in all images of a folder, as a CSV file and a table.

    Args:
        folder: A folder of PNG or JPEG images of any size.
        output: The CSV file to write; empty for predictions.csv in the folder.
    """
    files, file = check_folder(folder, output)
    with open_flow_run() as context:
        add_tags(project_tag(context.settings))
        return predict_folder(context, files, file)
