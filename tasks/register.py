"""The candidate becomes a version of the registered model, if it contends for the champion's place."""

from dataclasses import dataclass
from functools import partial

from filelock import FileLock

from mnist_models.class_titles import listed
from mnist_models.data.dataset import Dataset
from mnist_models.shown_text import in_markdown
from tasks.evaluate import Evaluated, serving_facts
from tasks.flow_run.context import FlowRunContext
from tasks.judgement import Judged, Wishes, judge_candidate, shape_tag
from tasks.registry.class_names import class_names_tag
from tasks.registry.image_champion import PREPARATION, TEMPERATURE
from tasks.registry.model_page import PENDING
from tasks.registry.placement import twins
from tasks.registry.seen_images import log_seen_images
from tasks.tracking.model_format import link_version
from tasks.tracking.outage import once_permitted
from tasks.tracking.retry import patient_task
from tasks.tracking.source_tags import data_tags


@dataclass(frozen=True)
class Registered:
    """The version that a candidate has, and how it was judged; nothing where there is none, or it was not judged."""

    version: str | None
    judged: Judged | None


def promotion_lock(context: FlowRunContext) -> FileLock:
    """One flow run at a time makes versions and moves the alias."""
    return FileLock(context.settings.state / "promotion.lock")


@patient_task("register")
def register(context: FlowRunContext, dataset: Dataset, candidate: Evaluated | None, wishes: Wishes) -> Registered:
    """Make the candidate a version of the registered model, unless it is one, or is not worth one."""
    if candidate is None:
        return Registered(None, None)
    with promotion_lock(context):
        judged = judge_candidate(context, dataset, candidate, wishes)
        if judged.decision.contends:
            return Registered(make_version(context, dataset, candidate), judged)
        return Registered(_existing(context, candidate), judged)


def make_version(context: FlowRunContext, dataset: Dataset, candidate: Evaluated) -> str:
    """Return the candidate's version, made if there is none. Whoever calls this holds the lock of promotions."""
    facts = serving_facts(dataset, candidate.predictions)
    for_photos = {PREPARATION: facts.preparation.to_json(), TEMPERATURE: f"{facts.temperature:.4f}"}
    version = _existing(context, candidate)
    return version or context.writer.call(lambda: _create(context, dataset, candidate, for_photos))


def _existing(context: FlowRunContext, candidate: Evaluated) -> str | None:
    run_id = context.child_runs[candidate.trained.training.folder].run_id
    found = twins(context.tracker.client, context.settings.registered_model, run_id, "")
    return str(found[0].version) if found else None


def _create(context: FlowRunContext, dataset: Dataset, candidate: Evaluated, for_photos: dict[str, str]) -> str:
    from mlflow.exceptions import MlflowException

    client, name = context.tracker.client, context.settings.registered_model
    training = candidate.trained.training
    state = context.child_runs[training.folder].state
    log_seen_images(context.tracker, state.run_id, dataset)
    try:
        client.create_registered_model(
            name,
            description="Image files, or prepared images, uint8 [n, height, width] or [n, height, width, 3], to"
            f" labels, names and probabilities. The alias `{context.settings.alias}` marks the version that serves.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    create = partial(
        client.create_model_version,
        name,
        f"models:/{state.model_id}",
        run_id=state.run_id,
        model_id=state.model_id,
        description=describe_training(dataset, candidate),
        tags={
            **PENDING,  # first, because the page of a model lists tags in the order in which they came
            "recipe": training.recipe.name,
            "seed": str(training.seed),
            "identity": training.identity,
            **data_tags(dataset),
            "image_shape": shape_tag(dataset),
            "classes": str(dataset.classes),
            **class_names_tag(dataset.class_names),
            "test_accuracy": f"{candidate.test.accuracy:.6f}",
            **for_photos,
        },
    )
    created = once_permitted(create)  # another machine may have made the model in this moment
    link_version(context.tracker, state.model_id, name, str(created.version))
    return str(created.version)


def describe_training(dataset: Dataset, candidate: Evaluated) -> str:
    """Say what a version is, in two sentences, and which classes it knows."""
    training = candidate.trained.training
    about, data = f"{training.recipe.name}: {training.recipe.summary}.", in_markdown(dataset.name)
    return f"{about} Trained on {data} with seed {training.seed}; {in_markdown(listed(dataset.class_names))}."
