"""One training as a Prefect task: supervises the trainer process, while its run directory is replayed into MLflow."""

import json
from dataclasses import dataclass
from logging import WARNING
from pathlib import Path
from typing import Any

from prefect import runtime, task

from mnist_models.atomic import remove_leftovers, write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.data.split import stratified_split
from mnist_models.trainer_pool.pool import Slot, TrainerDied, TrainingFailed
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.metrics_log import LatestRecords
from mnist_models.training_run.plan import Training
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult
from tasks.flow_run.context import Session
from tasks.flow_run.progress import Observer
from tasks.supervision.child_run import TrainingRun
from tasks.supervision.failures import true_status
from tasks.supervision.live_logging import Logging
from tasks.supervision.trainer_slots import trainer_slot
from tasks.supervision.training_lock import only_one


@dataclass(frozen=True)
class Trained:
    """A training that has ended, with what it left behind."""

    training: Training
    directory: RunDirectory
    result: TrainingResult
    run: TrainingRun
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
    """Train, or find it already done. What MLflow does not take meanwhile, the next tasks bring.

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
        run = TrainingRun(session, training, dataset, directory.path, name, flow_tags)
        if result is None:
            last_attempt = runtime.task_run.run_count > RETRIES
            with (
                true_status(session, run, name, last_attempt),
                Logging(session, run, name) as logging,
                session.pool.slot(training.seconds) as slot,
                trainer_slot(session, name),
            ):
                result = _supervise(session, slot, training, directory, dataset, data_folder, logging, name)
        else:
            session.display.done(name, f"reused, test accuracy {result.test_accuracy:.2%}")
    return Trained(training, directory, result, run, reused)


def _set_aside(path: Path) -> None:
    """Keep an old run directory under another name; its MLflow run stays as it is."""
    if path.exists():
        number = 1
        while (old := path.with_name(f"{path.name}~{number}")).exists():
            number += 1
        path.rename(old)


def _supervise(
    session: Session,
    slot: Slot,
    training: Training,
    directory: RunDirectory,
    dataset: Dataset,
    data_folder: Path,
    logging: Logging,
    name: str,
) -> TrainingResult:
    recipe = training.recipe
    described = recipe.parameters() | {"identity": training.identity, "seed": training.seed}
    write_atomically(directory.recipe_file, json.dumps(described, indent=2))
    start = RunDirectory(session.runs / training.start.folder).path if training.start else None
    job = TrainJob(directory.path, recipe.name, training.seed, data_folder, training.precision, start)
    images = len(stratified_split(dataset.y_train, recipe.validation_fraction, training.seed)[0])
    observer = Observer(recipe.total_steps(images), recipe.batch_size)
    latest = LatestRecords(directory.metrics_file)  # an earlier attempt's say nothing about the speed of this one

    def look() -> None:
        snapshot = observer.see(latest.read())
        if snapshot is not None:
            session.display.update(name, snapshot)
        logging.offer(snapshot)

    logging.offer(None)
    slot.do(job, look)
    result = directory.result()
    if result is None:
        raise TrainingFailed(f"{name}: what the trainer has written cannot be read back")
    for what in result.damaged:
        session.display.say(f"{name}: {what}; it went on from an earlier state", WARNING)
    text = f"{result.status}, test accuracy {result.test_accuracy:.2%}, {result.train_seconds:.1f} s"
    if result.nan_variable is not None:
        text += f"; {result.nan_variable} is NaN from step {result.first_nan_step:,} on"
    session.display.done(name, text)
    logging.end(text)
    return result
