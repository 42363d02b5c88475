"""How good a training's result is on the test set: metrics and figures."""

from dataclasses import dataclass

from mnist_models import metric_names as names
from mnist_models.data.dataset import Dataset
from mnist_models.data.loader import PreparedData
from mnist_models.evaluation.metrics import Evaluation, evaluate, log_loss
from mnist_models.evaluation.temperature import fit_temperature
from mnist_models.images.prepare import preparation_of
from mnist_models.serving.facts import ServingFacts
from mnist_models.training_run.run_directory import Predictions
from tasks.flow_run.context import FlowRunContext
from tasks.tracking.model_format import SavedModel, log_model, log_model_metrics
from tasks.tracking.retry import patient_task
from tasks.train import Trained

DIGITS = 6  # of a metric that is logged once


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A training with its predictions and what they are worth."""

    trained: Trained
    predictions: Predictions
    test: Evaluation
    validation_loss: float


@patient_task("evaluate")
def evaluate_training(context: FlowRunContext, data: PreparedData, trained: Trained) -> Evaluated:
    """Compute the metrics of the kept weights, and log them with the training's files and figures, unless that is done.

    The first task that cannot do without MLflow; it waits for it.
    """
    context.cancellation.check()
    dataset, predicted = data.dataset, trained.directory.predictions()
    test = evaluate(predicted.test, dataset.y_test)
    validation_loss = log_loss(predicted.validation, dataset.y_train[predicted.validation_indices])
    evaluated = Evaluated(trained, predicted, test, validation_loss)
    run = context.child_runs[trained.training.folder]
    context.writer.call(run.ensure_open)
    if not run.state.model_id:
        context.writer.call(lambda: _log_files(context, data, trained))
    if not run.state.evaluated:
        directory = trained.directory.path
        figures = context.renderer.training(directory, trained.training.recipe.name, data.folder, directory / "figures")

        def log() -> None:
            _log_metrics(context, evaluated, dataset)
            for file in figures:
                context.tracker.log_file(run.run_id, file, "figures")
            run.note(evaluated=True)

        context.writer.call(log)
    return evaluated


def _log_files(context: FlowRunContext, data: PreparedData, trained: Trained) -> None:
    """Store the model, the kept checkpoints and the predictions."""
    run, directory = context.child_runs[trained.training.folder], trained.directory
    run.log_system(context.system_metrics)  # a training that was short may have none
    for file in (directory.model_file, *directory.kept_files()):
        context.tracker.log_file(run.run_id, file, "checkpoints")
    context.tracker.log_file(run.run_id, directory.predictions_file)
    model = SavedModel(
        name=trained.training.recipe.name,
        file=directory.model_file,
        example=data.dataset.x_test[:2],
        serving=serving_facts(data.dataset, directory.predictions()),
        step=trained.result.kept_step,
        parameters=run.parameters,
    )
    run.note(model_id=log_model(context.tracker, run.run_id, model))


def serving_facts(dataset: Dataset, predictions: Predictions) -> ServingFacts:
    """Return how training images were prepared, measured on them, and how sure a model may sound."""
    temperature = fit_temperature(predictions.validation, dataset.y_train[predictions.validation_indices])
    preparation = preparation_of(dataset.x_train, dataset.facts.fit)
    return ServingFacts(preparation, dataset.class_names, round(temperature, 4))


def _log_metrics(context: FlowRunContext, evaluated: Evaluated, dataset: Dataset) -> None:
    run = context.child_runs[evaluated.trained.training.folder]
    result = evaluated.trained.result
    metrics = {
        **evaluated.test.metrics,
        names.KEPT_VALIDATION_ACCURACY: result.validation_accuracy,
        names.KEPT_STEP: result.kept_step,
        names.TRAIN_SECONDS: result.train_seconds,
        names.IMAGES_PER_SECOND_OVERALL: result.images_per_second,
        names.PARAMETERS: result.parameters,
        names.DIVERGED: int(result.status == "diverged"),
    }
    tags: dict[str, str] = {"status": result.status, "mlflow.note.content": _note(evaluated)}
    if result.first_nan_step is not None:
        # A NaN is stored as 0 and not drawn, so that the divergence needs numbers and words of its own.
        metrics[names.FIRST_NAN_STEP] = result.first_nan_step
        tags |= {"nan_variable": str(result.nan_variable), "nan_variables": ", ".join(result.nan_variables)}
    if result.damaged:
        tags["damaged_checkpoints"] = "; ".join(result.damaged)
    moment = round(result.finished_at * 1000)
    logged = [(name, readable(value), moment, result.steps) for name, value in metrics.items()]
    log_model_metrics(context.tracker, run.run_id, run.state.model_id, logged, dataset)
    context.tracker.log(run.run_id, tags=tags)


def readable(value: float) -> float:
    """Return a number that a table shows in full: no more digits than anybody reads."""
    return float(value) if float(value).is_integer() else float(f"{value:.{DIGITS}g}")


def _note(evaluated: Evaluated) -> str:
    """The run's description: what was trained and what came out."""
    training, result, test = evaluated.trained.training, evaluated.trained.result, evaluated.test
    if result.first_nan_step is not None:
        end = f"**Diverged:** `{result.nan_variable}` is NaN from step {result.first_nan_step:,} on."
    else:
        end = f"Kept are the weights of step {result.kept_step:,}."
    return (
        f"{training.recipe.summary}.\n\nTest accuracy **{test.accuracy:.2%}** ({test.accuracy_low * 100:.2f}–"
        f"{test.accuracy_high * 100:.2f}), validation accuracy {result.validation_accuracy:.2%}, after"
        f" {result.steps:,} steps in {result.train_seconds:.1f} s with seed {training.seed}. {end}"
    )
