"""Whether the candidate deserves the champion's place, as things stand now."""

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_models.data.dataset import Dataset
from mnist_models.data.formats.npz import read_npz
from mnist_models.errors import InvalidInput
from mnist_models.evaluation.promotion import OTHERWISE, Decision, Rules, is_correct, judge
from mnist_models.evaluation.same_problem import other_names
from mnist_models.evaluation.seen_images import by_origin, unseen
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.registry.class_names import class_names_of
from tasks.registry.placement import Placement, observe, refusal, twins
from tasks.registry.seen_images import seen_images
from tasks.supervision.model_inference import predict_images
from tasks.tracking.model_files import files_are_lost

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

HEADER_BYTES = 1000  # of an array in an .npz file, beside its values


@dataclass(frozen=True)
class Judged:
    """A decision, and against which version it was made; an empty text for none."""

    decision: Decision
    champion: str


@dataclass(frozen=True)
class Wishes:
    """What the request says about promotion."""

    promote: bool = True
    replace: bool = False  # a champion that solves another problem


def serves_now(context: FlowRunContext) -> "tuple[ModelVersion | None, Placement]":
    """Return the champion, and who has put it there; what a person has done is noted in the registry."""
    return context.writer.call(lambda: observe(context.tracker))


def judge_candidate(context: FlowRunContext, dataset: Dataset, candidate: Evaluated, wishes: Wishes) -> Judged:
    """Judge the candidate against the version that serves now. Whoever calls this holds the lock of promotions."""
    serving, placement = serves_now(context)
    version = str(serving.version) if serving else ""
    if not wishes.promote:
        return Judged(Decision(False, "promotion was not asked for", contends=False), version)
    training = candidate.trained.training
    run_id = context.child_runs[training.folder].run_id
    known = twins(context.tracker.client, context.settings.registered_model, run_id, training.identity)
    is_lost = serving is not None and files_are_lost(context.tracker, serving)
    if any(str(each.version) == version and each.run_id == run_id for each in known):
        lost = ", but its files are gone; `mnist train --force` makes them again" if is_lost else ""
        return Judged(Decision(False, f"it is the champion already{lost}"), version)
    if (why := refusal(placement, known)) is not None:
        return Judged(Decision(False, why), version)
    if is_lost:
        return Judged(_instead_of_lost(context, dataset, candidate, version), version)
    return Judged(_against(context, dataset, candidate, serving, wishes.replace), version)


def _instead_of_lost(context: FlowRunContext, dataset: Dataset, candidate: Evaluated, version: str) -> Decision:
    rules = Rules(context.settings.accuracy_floor)
    decision = judge(candidate.predictions.test, None, dataset.y_test, False, rules, dataset.class_names)
    if not decision.promote:
        return decision
    accuracy = decision.numbers["candidate_accuracy"]
    reason = f"the files of the champion, version {version}, are gone, and {accuracy:.2%} is above the floor"
    return Decision(True, reason, decision.numbers)


def _against(
    context: FlowRunContext, dataset: Dataset, candidate: Evaluated, serving: "ModelVersion | None", replaces: bool
) -> Decision:
    settings = context.settings
    rules = Rules(settings.accuracy_floor, settings.significance_level, settings.margin, replaces)
    probabilities = candidate.predictions.test
    if serving is None:
        return judge(probabilities, None, dataset.y_test, False, rules, dataset.class_names)
    if "image_shape" not in serving.tags or "classes" not in serving.tags:
        return Decision(False, f"the champion, version {serving.version}, was not registered by this pipeline")
    if (problem := _differences(serving, dataset)) is not None:
        if replaces:
            return judge(probabilities, None, dataset.y_test, False, rules, dataset.class_names)
        return Decision(False, f"the champion solves another problem: {problem}; {OTHERWISE}", contends=False)
    return _on_fair_images(context, dataset, probabilities, serving, rules)


def _on_fair_images(
    context: FlowRunContext,
    dataset: Dataset,
    probabilities: NDArray[np.float32],
    serving: "ModelVersion",
    rules: Rules,
) -> Decision:
    """Compare with the champion on the test images that neither model was trained on."""
    same_data = serving.tags.get("data_digest") == dataset.digest
    seen = None if same_data else seen_images(context.tracker, serving)
    train, test = dataset.keys
    fair = unseen(test, train, *([seen.train] if seen else []))
    if not fair.any():
        reason = f"one of the two models was trained on each of the {len(fair):,} test images: nothing compares them"
        return Decision(False, reason)
    try:
        champions = _champion_probabilities(context, dataset, serving, same_data)
    except InvalidInput as error:
        return Decision(False, f"the champion cannot be compared with: {str(error).rstrip('.')}")
    ours, theirs, labels = probabilities[fair], champions[fair], dataset.y_test[fair]
    decision = judge(ours, theirs, labels, same_data, rules, dataset.class_names)
    if (left_out := len(fair) - int(fair.sum())) > 0:
        reason = f"{decision.reason}, without {left_out:,} that one of them was trained on"
        decision = replace(decision, reason=reason, numbers=decision.numbers | {"images_left_out": left_out})
    if seen is not None:
        numbers = by_origin(is_correct(ours, labels), is_correct(theirs, labels), np.isin(test[fair], seen.test))
        decision = replace(decision, numbers=decision.numbers | dict(numbers))
    return decision


def _differences(serving: "ModelVersion", dataset: Dataset) -> str | None:
    """Say which other images or classes a version was made for; None if its tags tell of none."""
    shape, takes, knows = shape_tag(dataset), serving.tags["image_shape"], serving.tags["classes"]
    if (takes, knows) != (shape, str(dataset.classes)):
        return f"images of {takes} in {knows} classes, here {shape} in {dataset.classes}"
    known = class_names_of(serving)
    if known is None or len(known) != dataset.classes:  # nothing is known
        return None
    return other_names(known, dataset.class_names)


def shape_tag(dataset: Dataset) -> str:
    """Return the size of the images as it is noted with a version."""
    height, width, channels = dataset.image_shape
    return f"{height}x{width}" + (f"x{channels}" if channels > 1 else "")


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
