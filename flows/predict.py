"""Images in → labels out, with the champion."""

from typing import Any

from prefect import flow

from tasks.prediction import predict_files
from tasks.session import open_session


@flow(name="predict", flow_run_name="predict {files}", persist_result=False, result_serializer="json")
def predict(files: list[str]) -> list[dict[str, Any]]:
    """Tell what the champion sees in images.

    Args:
        files: Paths of PNG or JPEG images of any size.
    """
    with open_session() as session:
        return predict_files(session, files)
