"""The candidate becomes a version of the registered model."""

from mnist_models.data.dataset import Dataset
from mnist_models.images.prepare import measure_preparation
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.tracking.model_page import PENDING
from tasks.tracking.retry import patient_task


@patient_task("register")
def register(context: FlowRunContext, dataset: Dataset, candidate: Evaluated) -> str:
    """Make the candidate a version of the registered model, unless it is one; return the version."""
    preparation = measure_preparation(dataset.x_train).to_json()
    return context.writer.call(lambda: _register(context, dataset, candidate, preparation))


def _register(context: FlowRunContext, dataset: Dataset, candidate: Evaluated, preparation: str) -> str:
    from mlflow.exceptions import MlflowException

    client, name = context.tracker.client, context.settings.registered_model
    state = context.child_runs[candidate.trained.training.folder].state
    try:
        client.create_registered_model(
            name,
            description="Greyscale images, uint8 [n, height, width] with 0 as background, to class probabilities,"
            f" float32 [n, classes]. The alias `{context.settings.alias}` marks the version that serves.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for version in client.search_model_versions(f"name='{name}' and run_id='{state.run_id}'"):
        return str(version.version)
    created = client.create_model_version(
        name,
        f"models:/{state.model_id}",
        run_id=state.run_id,
        model_id=state.model_id,
        description=describe_training(dataset, candidate),
        tags={
            **PENDING,  # first, because the page of a model lists tags in the order in which they came
            "recipe": candidate.trained.training.recipe.name,
            "seed": str(candidate.trained.training.seed),
            "data": dataset.name,
            "data_digest": dataset.digest,
            "image_shape": shape_tag(dataset),
            "classes": str(dataset.classes),
            "test_accuracy": f"{candidate.test.accuracy:.6f}",
            "preparation": preparation,
        },
    )
    return str(created.version)


def shape_tag(dataset: Dataset) -> str:
    """Return the size of the images as it is noted with a version."""
    height, width = dataset.image_shape[:2]
    return f"{height}x{width}"


def describe_training(dataset: Dataset, candidate: Evaluated) -> str:
    """Say what a version is, in two sentences."""
    training = candidate.trained.training
    return f"{training.recipe.name}: {training.recipe.summary}. Trained on {dataset.name} with seed {training.seed}."
