"""One training as a Prefect task: supervises the trainer process, while its run directory is replayed into MLflow."""

from dataclasses import dataclass
from logging import WARNING
from typing import Any

from prefect import runtime, task

from mnist_models.atomic import remove_leftovers
from mnist_models.data.loader import PreparedData
from mnist_models.data.split import validation_split
from mnist_models.trainer_pool.backend import Slot
from mnist_models.trainer_pool.errors import TrainerDied, TrainingFailed
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.metrics_log import LatestRecords
from mnist_models.training_run.plan import Training
from mnist_models.training_run.run_directory import RunDirectory, TrainingResult
from mnist_models.training_run.schedules import total_steps
from tasks.flow_run.child_run import ChildRun
from tasks.flow_run.context import FlowRunContext
from tasks.flow_run.parent_run import flow_tags
from tasks.progress.snapshot import Observer
from tasks.supervision.failures import report_failure
from tasks.supervision.live_logging import LiveLogging
from tasks.supervision.trainer_slots import trainer_lease
from tasks.supervision.training_lock import hold_training
from tasks.tracking.given_up import cancelled_when_given_up


@dataclass(frozen=True)
class NamedTraining:
    """A training, and what it is called on screens."""

    training: Training
    name: str


@dataclass(frozen=True)
class Trained:
    """A training that has ended, with what it left behind."""

    training: Training
    name: str
    directory: RunDirectory
    result: TrainingResult
    reused: bool


def _worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """A killed process resumes from its checkpoint; an exception in the recipe would only come again."""
    return isinstance(state.result(raise_on_failure=False), TrainerDied)


RETRIES = 2


@task(name="train", retries=RETRIES, retry_delay_seconds=0, retry_condition_fn=_worth_retrying, persist_result=False)
@cancelled_when_given_up
def train_recipe(context: FlowRunContext, data: PreparedData, named: NamedTraining, force: bool) -> Trained:
    """Train, or find it already done. What MLflow does not take meanwhile, the next tasks bring.

    Raise TrainingFailed if the recipe raises, and TrainerDied if the process is killed: Prefect tries again then, and
    it goes on at the last checkpoint.
    """
    training, name = named.training, named.name
    directory = RunDirectory(context.settings.runs / training.folder)
    directory.path.parent.mkdir(parents=True, exist_ok=True)
    hold_training(context, training.folder, name)
    # A retried or resumed flow run goes on with what it has begun anew.
    if force and directory.forced_by() != str(runtime.flow_run.id):
        directory.set_aside()
    result = directory.result()
    reused = result is not None
    if result is None and directory.result_file.exists():
        context.display.say(f"{name}: its files are damaged, so that it is trained again")
        directory.set_aside()
    directory.path.mkdir(exist_ok=True)
    if force:
        directory.note_force(str(runtime.flow_run.id))
    remove_leftovers(directory.path)
    run = ChildRun(context.parent, training, data.dataset, directory.path, name, flow_tags())
    run = context.child_runs.setdefault(training.folder, run)
    if result is None:
        last_attempt = runtime.task_run.run_count > RETRIES
        with (
            report_failure(context, run, name, last_attempt),
            context.backend.slot(training.seconds) as slot,
            trainer_lease(context, name),
            LiveLogging(context, run, name) as live,
        ):
            result = _supervise(context, slot, named, data, live)
    else:
        context.display.done(name, f"reused, test accuracy {result.test_accuracy:.2%}")
    return Trained(training, name, directory, result, reused)


def _supervise(
    context: FlowRunContext, slot: Slot, named: NamedTraining, data: PreparedData, live: LiveLogging
) -> TrainingResult:
    training, name, recipe, dataset = named.training, named.name, named.training.recipe, data.dataset
    directory = RunDirectory(context.settings.runs / training.folder)
    directory.write_recipe(
        recipe,
        seed=training.seed,
        identity=training.identity,
        data_digest=training.data_digest,
        image_shape=dataset.image_shape,
        classes=dataset.classes,
        class_names=dataset.class_names,
    )
    context.display.begin(name)
    start = context.settings.runs / training.start.folder if training.start else None
    job = TrainJob(directory.path, training.seed, data.folder, training.conditions.precision, start)
    images = len(validation_split(dataset, recipe.validation_fraction, training.seed)[0])
    observer = Observer(total_steps(recipe, images), recipe.batch_size)
    latest = LatestRecords(directory.metrics_file)  # an earlier attempt's say nothing about the speed of this one

    def look() -> None:
        snapshot = observer.see(latest.read())
        if snapshot is not None:
            context.display.update(name, snapshot)
            live.show(snapshot)

    slot.run(job, look)
    result = directory.result()
    if result is None:
        raise TrainingFailed(f"{name}: what the trainer has written cannot be read back")
    for what in result.damaged:
        context.display.say(f"{name}: {what}; it went on from an earlier state", WARNING)
    text = f"{result.status}, test accuracy {result.test_accuracy:.2%}, {result.train_seconds:.1f} s"
    if result.nan_variable is not None:
        text += f"; {result.nan_variable} is NaN from step {result.first_nan_step:,} on"
    context.display.done(name, text)
    live.end(text)
    return result
