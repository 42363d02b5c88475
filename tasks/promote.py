"""Whether the candidate becomes the champion; the decision is recorded wherever it is looked for."""

import logging
import math
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from prefect.artifacts import create_markdown_artifact

from mnist_models.data.dataset import Dataset
from mnist_models.data.formats.npz import read_npz
from mnist_models.errors import InvalidInput
from mnist_models.evaluation.promotion import Decision, Rules, judge
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.register import describe_training, shape_tag
from tasks.servers.notifications import PROMOTED, notify
from tasks.supervision.model_inference import predict_images
from tasks.tracking.champion import champion_version
from tasks.tracking.model_page import describe_version, numbers_table, outcome, update_model_description
from tasks.tracking.retry import patient_task

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

HEADER_BYTES = 1000  # of an array in an .npz file, beside its values


@patient_task("promote")
def promote_candidate(
    context: FlowRunContext, dataset: Dataset, candidate: Evaluated | None, version: str | None, wanted: bool
) -> Decision:
    """Decide whether the candidate becomes the champion, make it so, and record the decision either way."""
    if candidate is None or version is None:
        return Decision(False, "no recipe has finished, so that there is nothing to promote")
    settings = context.settings
    # Aliases are last-writer-wins: on this machine only one flow decides at a time, and because another machine
    # may move the alias meanwhile, the champion is looked at again right before.
    with FileLock(settings.state / "promotion.lock"):
        serving = champion_version(context.tracker)
        while True:
            if wanted:
                decision = _decide(context, dataset, candidate, version, serving)
            else:
                decision = Decision(False, "promotion was not asked for")
            is_champion = serving is not None and str(serving.version) == version  # and keeps the decision for it
            about = None if is_champion else describe_training(dataset, candidate)
            context.writer.call(partial(_record, context, candidate, version, decision, about))
            now = champion_version(context.tracker)
            if (now and now.version) == (serving and serving.version):
                break
            serving = now
        if decision.promote:
            set_alias = context.tracker.client.set_registered_model_alias
            context.writer.call(partial(set_alias, settings.registered_model, settings.alias, version))
            _announce(context, candidate, version, decision)
    recipe = candidate.trained.training.recipe.name
    create_markdown_artifact(
        f"**{recipe}, version {version}: {outcome(decision)}** because {decision.reason}.\n\n{numbers_table(decision)}",
        key="promotion",
        description=f"{recipe}: {outcome(decision)}",
    )
    return decision


def _announce(context: FlowRunContext, candidate: Evaluated, version: str, decision: Decision) -> None:
    name, training = context.settings.registered_model, candidate.trained.training
    notify(
        PROMOTED,
        f"mnist.model.{name}",
        f"{name}: version {version} ({training.recipe.name}) is the {context.settings.alias}: {decision.reason}",
        model=name,
        version=version,
        recipe=training.recipe.name,
        reason=decision.reason,
        mlflow_run_id=context.child_runs[training.folder].run_id,
    )


def _decide(
    context: FlowRunContext, dataset: Dataset, candidate: Evaluated, version: str, serving: "ModelVersion | None"
) -> Decision:
    settings = context.settings
    rules = Rules(settings.accuracy_floor, settings.significance_level, settings.margin)
    probabilities = candidate.predictions.test
    if serving is None:
        return judge(probabilities, None, dataset.y_test, False, rules)
    if str(serving.version) == version:
        return Decision(False, "it is the champion already")
    shape, takes, knows = shape_tag(dataset), serving.tags.get("image_shape"), serving.tags.get("classes")
    if takes is None or knows is None:
        return Decision(False, f"the champion, version {serving.version}, was not registered by this pipeline")
    if (takes, knows) != (shape, str(dataset.classes)):
        return Decision(
            False,
            f"the champion solves another problem: images of {takes} in {knows} classes, here {shape} in"
            f" {dataset.classes}; name another registered_model in mlflow.yml for this data",
        )
    same_data = serving.tags.get("data_digest") == dataset.digest
    try:
        champions = _champion_probabilities(context, dataset, serving, same_data)
    except InvalidInput as error:
        return Decision(False, f"the champion cannot be compared with: {str(error).rstrip('.')}")
    return judge(probabilities, champions, dataset.y_test, same_data, rules)


def _champion_probabilities(
    context: FlowRunContext, dataset: Dataset, serving: "ModelVersion", same_data: bool
) -> NDArray[np.float32]:
    """What the champion gives for the test images, float32 [n, classes]: as recorded, or else computed now."""
    shape = (len(dataset.y_test), dataset.classes)
    with TemporaryDirectory() as folder:
        if same_data and serving.run_id:
            try:
                file = context.tracker.client.download_artifacts(serving.run_id, "predictions.npz", folder)
                recorded = read_npz(Path(file), ("test",), largest=4 * math.prod(shape) + HEADER_BYTES)["test"]
                if recorded.shape != shape:
                    raise ValueError(f"their shape is {recorded.shape}, not {shape}")
                return recorded
            except Exception as error:
                logger.warning("the champion's recorded predictions cannot be read (%s); it predicts anew", error)
        computed = predict_images(context, serving, dataset.x_test)
        if computed.shape != shape:
            raise InvalidInput(f"version {serving.version} gives probabilities of shape {computed.shape}, not {shape}.")
        return computed


def _record(context: FlowRunContext, candidate: Evaluated, version: str, decision: Decision, about: str | None) -> None:
    """Note the decision with both runs and the model, and with the version if its description `about` is given."""
    client, name = context.tracker.client, context.settings.registered_model
    tags = {"decision": outcome(decision), "reason": decision.reason}
    tags |= {f"decision.{key}": f"{value:.6g}" for key, value in decision.numbers.items()}
    if about is not None:
        registered = client.get_model_version(name, version)
        for key in registered.tags:
            if key.startswith("decision.") and key not in tags:  # of an earlier decision
                client.delete_model_version_tag(name, version, key)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        described = describe_version(registered, about, decision, context.tracker.experiment_id)
        client.update_model_version(name, version, described)
        context.tracker.log(context.child_runs[candidate.trained.training.folder].run_id, tags=tags)
    update_model_description(client, name, context.tracker.experiment_id)
    context.tracker.log(context.parent.ensure_open(), tags=tags)
