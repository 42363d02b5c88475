"""Images in → labels out, with the champion."""

from typing import Any

from prefect import flow

from tasks.flow_run.context import open_flow_run
from tasks.predict import CsvFile, ImageFolder, check_folder, predict_files, predict_folder


@flow(name="predict", flow_run_name="predict {files}", retries=0, persist_result=False, result_serializer="json")
def predict(files: list[str]) -> list[dict[str, Any]]:
    """Tell what the champion sees in images.

    Args:
        files: Paths of PNG or JPEG images of any size.
    """
    with open_flow_run() as context:
        return predict_files(context, files)


@flow(name="predict", flow_run_name="predict {folder}", retries=0, persist_result=False, result_serializer="json")
def predict_batch(folder: ImageFolder, output: CsvFile = "") -> dict[str, Any]:
    """Tell what the champion sees in all images of a folder, as a CSV file and a table.

    Args:
        folder: A folder of PNG or JPEG images of any size.
        output: The CSV file to write; empty for predictions.csv in the folder.
    """
    files, file = check_folder(folder, output)
    with open_flow_run() as context:
        return predict_folder(context, files, file)
