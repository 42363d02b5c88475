"""The first task: the data, verified, and where trainers read it."""

from prefect import task

from mnist_models.data.loader import PreparedData, prepare_data
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.early_start import started_early


@task(name="fetch data", task_run_name="fetch and verify data", retries=0, persist_result=False)
def fetch_data(context: FlowRunContext, path: str) -> PreparedData:
    """Fetch and verify the data, unless the command has done so.

    Raise InvalidInput if the data at `path` cannot be used, or DataUnavailable if the official MNIST cannot be had.
    """
    early = started_early()
    data = (early and early.data) or prepare_data(path, context.settings.data, context.display.say)
    dataset = data.dataset
    height, width = dataset.image_shape[:2]
    context.display.say(
        f"data: {dataset.name}, {len(dataset.x_train):,} training and {len(dataset.x_test):,} test images of"
        f" {height}×{width}, {dataset.classes} classes; pixels: {dataset.pixels} ({dataset.source})"
    )
    return data
