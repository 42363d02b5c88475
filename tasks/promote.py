"""The registered model: versions, and which of them is the champion."""

import logging
import math
from dataclasses import dataclass
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
from mnist_models.images.prepare import measure_preparation
from mnist_models.trainer_pool.pool import TrainingFailed
from mnist_models.training_run.job import PredictJob
from tasks.evaluate import Evaluated
from tasks.flow_run.context import Session
from tasks.servers.notifications import PROMOTED, notify
from tasks.supervision.failures import first_line
from tasks.tracking.model_page import PENDING, describe_version, numbers_table, outcome, update_model_description
from tasks.tracking.retry import patient_task
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

HEADER_BYTES = 1000  # of an array in an .npz file, beside its values


@dataclass(frozen=True)
class Champion:
    """The version that serves."""

    name: str  # of the registered model
    version: str
    recipe: str
    mlflow_run_id: str
    test_accuracy: float | None  # None for a version that something else has registered


@patient_task("register")
def register(session: Session, dataset: Dataset, candidate: Evaluated) -> str:
    """Make the candidate a version of the registered model, unless it is one; gives the version."""
    from mlflow.exceptions import MlflowException

    client, name = session.tracker.client, session.settings.registered_model
    run = candidate.trained.run
    recipe = candidate.trained.training.recipe
    try:
        client.create_registered_model(
            name,
            description="Greyscale images, uint8 [n, height, width] with 0 as background, to class probabilities,"
            f" float32 [n, classes]. The alias `{session.settings.alias}` marks the version that serves.",
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for version in client.search_model_versions(f"name='{name}' and run_id='{run.run_id}'"):
        return str(version.version)
    height, width, _ = dataset.image_shape
    created = client.create_model_version(
        name,
        f"models:/{run.notes['model_id']}",
        run_id=run.run_id,
        model_id=run.notes["model_id"],
        description=_trained(dataset, candidate),
        tags={
            **PENDING,  # first, because the page of a model lists tags in the order in which they came
            "recipe": recipe.name,
            "seed": str(candidate.trained.training.seed),
            "data": dataset.name,
            "data_digest": dataset.digest,
            "image_shape": f"{height}x{width}",
            "classes": str(dataset.classes),
            "test_accuracy": f"{candidate.test.accuracy:.6f}",
            "preparation": measure_preparation(dataset.x_train).to_json(),
        },
    )
    return str(created.version)


@patient_task("promote")
def promote_candidate(
    session: Session, dataset: Dataset, candidate: Evaluated | None, version: str | None, wanted: bool
) -> Decision:
    """Decide whether the candidate becomes the champion, make it so, and record the decision either way."""
    if candidate is None or version is None:
        return Decision(False, "no recipe has finished, so that there is nothing to promote")
    settings = session.settings
    # Aliases are last-writer-wins: on this machine only one flow decides at a time, and because another machine
    # may move the alias meanwhile, the champion is looked at again right before.
    with FileLock(settings.state / "promotion.lock"):
        serving = champion_version(session.tracker)
        while True:
            if wanted:
                decision = _decide(session, dataset, candidate, version, serving)
            else:
                decision = Decision(False, "promotion was not asked for")
            _record(session, dataset, candidate, version, decision, serves=_version(serving) == version)
            now = champion_version(session.tracker)
            if _version(now) == _version(serving):
                break
            serving = now
        if decision.promote:
            session.tracker.client.set_registered_model_alias(settings.registered_model, settings.alias, version)
            name = settings.registered_model
            recipe = candidate.trained.training.recipe.name
            notify(
                PROMOTED,
                f"mnist.model.{name}",
                f"{name}: version {version} ({recipe}) is the {settings.alias}: {decision.reason}",
                model=name,
                version=version,
                recipe=recipe,
                reason=decision.reason,
                mlflow_run_id=candidate.trained.run.run_id,
            )
    return decision


def _version(serving: "ModelVersion | None") -> str | None:
    return None if serving is None else str(serving.version)


def champion_version(tracker: Tracker) -> "ModelVersion | None":
    """The registered version under the champion's alias."""
    from mlflow.exceptions import MlflowException

    settings = tracker.settings
    try:
        return tracker.client.get_model_version_by_alias(settings.registered_model, settings.alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def champion(tracker: Tracker) -> Champion | None:
    """Who serves now."""
    version = champion_version(tracker)
    if version is None:
        return None
    return Champion(
        name=version.name,
        version=str(version.version),
        recipe=version.tags.get("recipe", "unknown"),
        mlflow_run_id=version.run_id or "",
        test_accuracy=float(version.tags["test_accuracy"]) if "test_accuracy" in version.tags else None,
    )


def _decide(
    session: Session, dataset: Dataset, candidate: Evaluated, version: str, serving: "ModelVersion | None"
) -> Decision:
    settings = session.settings
    rules = Rules(settings.accuracy_floor, settings.significance_level, settings.margin)
    probabilities = candidate.predictions.test
    if serving is None:
        return judge(probabilities, None, dataset.y_test, False, rules)
    if str(serving.version) == version:
        return Decision(False, "it is the champion already")
    height, width, _ = dataset.image_shape
    takes, knows = serving.tags.get("image_shape"), serving.tags.get("classes")
    if takes is None or knows is None:
        return Decision(False, f"the champion, version {serving.version}, was not registered by this pipeline")
    if (takes, knows) != (f"{height}x{width}", str(dataset.classes)):
        return Decision(
            False,
            f"the champion solves another problem: images of {takes} in {knows} classes, here {height}x{width} in"
            f" {dataset.classes}; name another registered_model in mlflow.yml for this data",
        )
    same_data = serving.tags.get("data_digest") == dataset.digest
    try:
        champions = _champion_probabilities(session, dataset, serving, same_data)
    except InvalidInput as error:
        return Decision(False, f"the champion cannot be compared with: {str(error).rstrip('.')}")
    return judge(probabilities, champions, dataset.y_test, same_data, rules)


def _champion_probabilities(
    session: Session, dataset: Dataset, serving: "ModelVersion", same_data: bool
) -> NDArray[np.float32]:
    """What the champion gives for the test images, float32 [n, classes]: as recorded, or else computed now."""
    shape = (len(dataset.y_test), dataset.classes)
    with TemporaryDirectory() as folder:
        if same_data and serving.run_id:
            try:
                file = session.tracker.client.download_artifacts(serving.run_id, "predictions.npz", folder)
                recorded = read_npz(Path(file), ("test",), largest=4 * math.prod(shape) + HEADER_BYTES)["test"]
                if recorded.shape != shape:
                    raise ValueError(f"their shape is {recorded.shape}, not {shape}")
                return recorded
            except Exception as error:
                logger.warning("the champion's recorded predictions cannot be read (%s); it predicts anew", error)
        computed = predict_images(session, serving, dataset.x_test)
        if computed.shape != shape:
            raise InvalidInput(f"version {serving.version} gives probabilities of shape {computed.shape}, not {shape}.")
        return computed


def predict_images(session: Session, version: "ModelVersion", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities float32 [n, classes] that a registered version gives for uint8 [n, height, width].

    Raises:
        InvalidInput: the version's model is missing, damaged, too large or carries code, or takes other images.
    """
    from mlflow.artifacts import download_artifacts

    with TemporaryDirectory() as name:
        folder = Path(name)
        model = download_artifacts(
            artifact_uri=f"models:/{version.name}/{version.version}",
            dst_path=str(folder / "model"),
            tracking_uri=session.settings.resolved_tracking_uri,
        )
        np.save(folder / "images.npy", images, allow_pickle=False)
        job = PredictJob(Path(model) / "data" / "model.keras", folder / "images.npy", folder / "probabilities.npy")
        try:
            with session.pool.slot() as slot:
                slot.do(job)
        except (InvalidInput, TrainingFailed) as error:
            raise InvalidInput(
                f"{version.name}: version {version.version} cannot be used: {first_line(error).rstrip('.')}."
            ) from error
        return np.load(folder / "probabilities.npy", allow_pickle=False)  # type: ignore[no-any-return]


def _trained(dataset: Dataset, candidate: Evaluated) -> str:
    """What a version is, in two sentences."""
    training = candidate.trained.training
    return f"{training.recipe.name}: {training.recipe.summary}. Trained on {dataset.name} with seed {training.seed}."


def _record(
    session: Session, dataset: Dataset, candidate: Evaluated, version: str, decision: Decision, serves: bool
) -> None:
    """Note the decision where it is looked for. A version that serves keeps the one that brought it there."""
    client, name = session.tracker.client, session.settings.registered_model
    tags = {"decision": outcome(decision), "reason": decision.reason}
    tags |= {f"decision.{key}": f"{value:.6g}" for key, value in decision.numbers.items()}
    if not serves:
        registered = client.get_model_version(name, version)
        for key in registered.tags:
            if key.startswith("decision.") and key not in tags:  # of an earlier decision
                client.delete_model_version_tag(name, version, key)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        described = describe_version(registered, _trained(dataset, candidate), decision, session.tracker.experiment_id)
        client.update_model_version(name, version, described)
        session.tracker.log(candidate.trained.run.run_id, tags=tags)
    update_model_description(client, name, session.tracker.experiment_id)
    session.tracker.log(session.parent_run_id, tags=tags)
    recipe = candidate.trained.training.recipe.name
    create_markdown_artifact(
        f"**{recipe}, version {version}: {outcome(decision)}** because {decision.reason}.\n\n{numbers_table(decision)}",
        key="promotion",
        description=f"{recipe}: {outcome(decision)}",
    )
