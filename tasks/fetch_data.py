"""The first task: the data, verified, and where trainers read it."""

from pathlib import Path

from prefect import task

from mnist_models.data.dataset import Dataset
from mnist_models.data.loader import prepare_data
from tasks.flow_run.context import Session


@task(name="fetch data", task_run_name="fetch and verify data", persist_result=False)
def fetch_data(session: Session, path: str) -> tuple[Dataset, Path]:
    """Fetch and verify the data; gives it and the folder from which trainers load it.

    Raises:
        InvalidInput: the data at `path` cannot be used.
        DataUnavailable: `path` is empty, and the official MNIST can be had from none of its sources.
    """
    dataset, folder = prepare_data(path, session.settings.data, session.display.say)
    height, width, _ = dataset.image_shape
    session.display.say(
        f"data: {dataset.name}, {len(dataset.x_train):,} training and {len(dataset.x_test):,} test images of"
        f" {height}×{width}, {dataset.classes} classes ({dataset.source})"
    )
    return dataset, folder
