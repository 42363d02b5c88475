"""The first task: the data, verified, and where trainers read it."""

from prefect import task

from mnist_models.class_titles import listed
from mnist_models.data.dataset import Dataset
from mnist_models.data.loader import PreparedData, prepare_data
from mnist_models.data.options import DataOptions
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.early_start import started_early


@task(name="fetch data", task_run_name="fetch and verify data", retries=0, persist_result=False)
def fetch_data(context: FlowRunContext, path: str, options: DataOptions) -> PreparedData:
    """Fetch and verify the data, unless the command has done so; say what they are, and what is doubtful.

    Raise InvalidInput if the data at `path` cannot be used, or DataUnavailable if the official MNIST cannot be had.
    """
    early = started_early()
    settings, say = context.settings, context.display.say
    data = (early and early.data) or prepare_data(path, settings.data, say, options, settings.named_sets)
    dataset = data.dataset
    context.display.say(f"data: {described(dataset)}")
    for warning in dataset.facts.warnings:
        context.display.say(f"data: {warning}")
    return data


def described(dataset: Dataset) -> str:
    """Say what a data set is, on one line."""
    height, width, channels = dataset.image_shape
    facts = dataset.facts
    kind = "in colour, " if channels == 3 else ""
    sizes = f"; {facts.sizes}" if facts.fit else ""
    chosen = f"; test part: {facts.test_part}" if facts.test_part else ""
    counts = f"{len(dataset.x_train):,} training and {len(dataset.x_test):,} test images of {height}×{width}"
    pixels = f"pixels: {dataset.pixels}{sizes}{chosen}"
    return f"{dataset.name}, {counts}, {kind}{listed(dataset.class_names)}; {pixels} ({dataset.source})"
