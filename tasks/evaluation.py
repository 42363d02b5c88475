"""How good a training's result is on the test set: metrics and figures."""

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.figure import Figure
from prefect import task
from prefect.cache_policies import NO_CACHE

from mnist_models.atomic import write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.figures import (
    confusion_matrix,
    learning_curves,
    per_class_accuracy,
    png,
    predictions,
    reliability_diagram,
    sample_images,
)
from mnist_models.evaluation.metrics import Evaluation, evaluate
from mnist_models.run_directory import Predictions
from tasks.session import Session
from tasks.training import Trained


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A training with its predictions and what they are worth."""

    trained: Trained
    predictions: Predictions
    test: Evaluation
    validation_loss: float


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate_training(session: Session, dataset: Dataset, trained: Trained) -> Evaluated:
    """Compute the metrics of the kept weights, and log them with their figures unless that is done already."""
    predicted = trained.directory.predictions()
    test = evaluate(predicted.test, dataset.y_test)
    validation = evaluate(predicted.validation, dataset.y_train[predicted.validation_indices])
    evaluated = Evaluated(trained, predicted, test, validation.log_loss)
    if "evaluated" not in trained.run.notes:
        _log_metrics(session, evaluated)
        log_figures(session, trained, _figures(dataset, evaluated))
        trained.run.note(evaluated=True)
    return evaluated


def log_figures(session: Session, trained: Trained, figures: Iterable[tuple[str, Figure]]) -> None:
    """Keep figures in the run directory, and store them as the run's artifacts."""
    for name, figure in figures:
        file = trained.directory.path / "figures" / f"{name}.png"
        write_atomically(file, png(figure))
        session.tracker.log_file(trained.run.run_id, file, "figures")


def _log_metrics(session: Session, evaluated: Evaluated) -> None:
    result, test = evaluated.trained.result, evaluated.test
    metrics = {
        "test/accuracy": test.accuracy,
        "test/accuracy_low": test.accuracy_low,
        "test/accuracy_high": test.accuracy_high,
        "test/loss": test.log_loss,
        "test/brier": test.brier,
        "test/calibration_error": test.calibration_error,
        "test/mistakes": round(test.n * (1 - test.accuracy)),
        "kept/validation_accuracy": result.validation_accuracy,
        "kept/step": result.kept_step,
        "speed/train_seconds": result.train_seconds,
        "speed/images_per_second_overall": result.images_per_second,
        "model/parameters": result.parameters,
        "diverged": int(result.status == "diverged"),
    }
    tags: dict[str, str] = {"status": result.status}
    if result.first_nan_step is not None:
        # A NaN is stored as 0 and not drawn, so that the divergence needs numbers and words of its own.
        metrics["first_nan_step"] = result.first_nan_step
        tags |= {"nan_variable": str(result.nan_variable), "nan_variables": ", ".join(result.nan_variables)}
    moment = round(result.finished_at * 1000)
    session.tracker.log(
        evaluated.trained.run.run_id,
        [(name, float(value), moment, result.steps) for name, value in metrics.items()],
        tags=tags,
    )


def _figures(dataset: Dataset, evaluated: Evaluated) -> Iterable[tuple[str, Figure]]:
    result, test, probabilities = evaluated.trained.result, evaluated.test, evaluated.predictions.test
    name = evaluated.trained.training.recipe.name
    history = evaluated.trained.directory.history()
    yield (
        "learning_curves",
        learning_curves(history, name, test_accuracy=test.accuracy, nan_step=result.first_nan_step),
    )
    yield "sample_images", sample_images(dataset.x_train, dataset.y_train)
    yield "predictions", predictions(dataset.x_test, dataset.y_test, probabilities)
    yield "confusion_matrix", confusion_matrix(test.confusion_matrix)
    yield "per_class_accuracy", per_class_accuracy(test)
    yield "reliability_diagram", reliability_diagram(probabilities, dataset.y_test)
