"""One training as a Prefect task: supervises the trainer process and replays its run directory into MLflow."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import runtime, task

from mnist_models.atomic import remove_leftovers, write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.data.split import stratified_split
from mnist_models.metrics_log import LatestRecords
from mnist_models.plan import Training
from mnist_models.run_directory import RunDirectory, TrainingResult
from mnist_models.trainer.job import TrainJob
from mnist_models.workers.pool import Slot, TrainerDied, TrainingFailed
from tasks.exclusive import only_one
from tasks.failures import true_status
from tasks.logged_model import log_model
from tasks.progress import Observer, ProgressArtifact
from tasks.session import Session, code_tags
from tasks.slots import trainer_slot
from tasks.tracked_run import TrackedRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A training that has ended, with what it left behind."""

    training: Training
    directory: RunDirectory
    result: TrainingResult
    run: TrackedRun
    reused: bool


def label(training: Training, seeds: int) -> str:
    """What a training is called on screens: the recipe, with the seed where there are several."""
    return f"{training.recipe.name} ({training.seed})" if seeds > 1 else training.recipe.name


def _worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """A killed process resumes from its checkpoint; an exception in the recipe would only come again."""
    try:
        state.result()
    except TrainerDied:
        return True
    except Exception:
        return False
    return False


RETRIES = 2


@task(name="train", retries=RETRIES, retry_condition_fn=_worth_retrying, persist_result=False)
def train_recipe(
    session: Session,
    training: Training,
    dataset: Dataset,
    data_folder: Path,
    name: str,
    force: bool,
    flow_tags: dict[str, str],
) -> Trained:
    """Train, or find it already done, and bring it into MLflow; what of its metrics is left, its last task brings.

    Raises:
        TrainingFailed: the recipe raised an exception.
        TrainerDied: the process was killed; retried by Prefect, going on at the last checkpoint.
    """
    directory = RunDirectory(session.runs / training.folder)
    directory.path.parent.mkdir(parents=True, exist_ok=True)
    with only_one(session, directory.path.with_suffix(".lock"), name):
        if force and training.identity not in session.renewed:
            _set_aside(directory.path)
            session.renewed.add(training.identity)
        result = directory.result()
        reused = result is not None
        if result is None and directory.result_file.exists():
            session.display.say(f"{name}: its files are damaged, so that it is trained again")
            _set_aside(directory.path)
        directory.path.mkdir(exist_ok=True)
        remove_leftovers(directory.path)
        run = TrackedRun(session.tracker, directory.path)
        if result is None:
            with session.pool.slot() as slot, trainer_slot(session, name):
                _open(session, run, training, dataset, name, flow_tags)
                result = _supervise(session, slot, training, directory, dataset, data_folder, run, name)
        else:
            session.display.done(name, f"reused, test accuracy {result.test_accuracy:.2%}")
            _open(session, run, training, dataset, name, flow_tags)
        _log_files(session, run, training, dataset, directory, result)
    return Trained(training, directory, result, run, reused)


def _set_aside(path: Path) -> None:
    """Keep an old run directory under another name; its MLflow run stays as it is."""
    if path.exists():
        number = 1
        while (old := path.with_name(f"{path.name}~{number}")).exists():
            number += 1
        path.rename(old)


def _open(
    session: Session, run: TrackedRun, training: Training, dataset: Dataset, name: str, flow_tags: dict[str, str]
) -> None:
    recipe = training.recipe
    tags = {
        "recipe": recipe.name,
        "seed": str(training.seed),
        "identity": training.identity,
        "data": dataset.name,
        "data_digest": dataset.digest,
        "mlflow.note.content": f"{recipe.summary}.",
        **code_tags(),
        **flow_tags,
    }
    run.open(name, tags, session.parent_run_id)
    if "closed" not in run.notes:
        session.open_runs.add(run.run_id)
    if "described" in run.notes:
        return
    settings = {name: getattr(training, name) for name in ("device", "threads", "precision", "seed")}
    session.tracker.log(run.run_id, parameters=recipe.parameters() | settings)
    session.tracker.log_dataset(run.run_id, dataset)
    run.note(described=True)


def _supervise(
    session: Session,
    slot: Slot,
    training: Training,
    directory: RunDirectory,
    dataset: Dataset,
    data_folder: Path,
    run: TrackedRun,
    name: str,
) -> TrainingResult:
    recipe = training.recipe
    described = recipe.parameters() | {"identity": training.identity, "seed": training.seed}
    write_atomically(directory.recipe_file, json.dumps(described, indent=2))
    start = RunDirectory(session.runs / training.start.folder).path if training.start else None
    job = TrainJob(directory.path, recipe.name, training.seed, data_folder, training.precision, start)
    images = len(stratified_split(dataset.y_train, recipe.validation_fraction, training.seed)[0])
    observer = Observer(recipe.total_steps(images), recipe.batch_size)
    artifact = ProgressArtifact(name)
    latest = LatestRecords(directory.metrics_file)  # an earlier attempt's say nothing about the speed of this one
    session.tracker.resume_run(run.run_id)

    def look() -> None:
        snapshot = observer.see(latest.read())
        if snapshot is not None:
            session.display.update(name, snapshot)
        # A server that is away for a while must not cost the training: what was not sent is sent at the end.
        try:
            if snapshot is not None:
                artifact.update(snapshot.share, str(snapshot))
            session.leisure.offer(run.replay)
        except Exception as error:
            logger.warning("%s: not logged for now: %s", name, error)

    with true_status(session, run, name, last_attempt=runtime.task_run.run_count > RETRIES):
        with session.tracker.system_metrics(run.run_id):
            slot.do(job, look)
        result = directory.result()
        if result is None:
            raise TrainingFailed(f"{name}: what the trainer has written cannot be read back")
    for what in result.damaged:
        session.display.say(f"{name}: {what}; it went on from an earlier state", logging.WARNING)
    text = f"{result.status}, test accuracy {result.test_accuracy:.2%}, {result.train_seconds:.1f} s"
    if result.nan_variable is not None:
        text += f"; {result.nan_variable} is NaN from step {result.first_nan_step:,} on"
    session.display.done(name, text)
    artifact.update(1.0, text, last=True)
    return result


def _log_files(
    session: Session,
    run: TrackedRun,
    training: Training,
    dataset: Dataset,
    directory: RunDirectory,
    result: TrainingResult,
) -> None:
    """Store the model, the kept checkpoints and the predictions, once."""
    if "model_id" in run.notes:
        return
    for file in (directory.model_file, *directory.kept_files()):
        session.tracker.log_file(run.run_id, file, "checkpoints")
    session.tracker.log_file(run.run_id, directory.predictions_file)
    model_id = log_model(
        session.tracker,
        run.run_id,
        training.recipe.name,
        directory.model_file,
        dataset.x_test[:2],
        dataset.classes,
        result.kept_step,
    )
    run.note(model_id=model_id)
