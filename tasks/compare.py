"""All trainings of a flow run side by side, on the parent run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mnist_models.evaluation.selection import Candidate, best, spread
from mnist_models.figures.compared import Compared
from mnist_models.metric_names import RECIPE_ACCURACY, RECIPE_ACCURACY_SD
from tasks.evaluate import Evaluated
from tasks.flow_run.context import Session
from tasks.tracking.retry import patient_task


@dataclass(frozen=True)
class Row:
    """One training in the comparison; empty where it failed. Accuracies are shares."""

    recipe: str
    seed: int
    name: str  # as shown: with the seed where there are several
    status: str  # finished, diverged, failed or reused
    expected: bool  # whether this is how it should end
    mlflow_run_id: str | None = None
    parameters: int | None = None
    train_seconds: float | None = None
    images_per_second: float | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    test_low: float | None = None
    test_high: float | None = None
    first_nan_step: int | None = None
    reason: str = ""  # of a failure


def row(name: str, evaluated: Evaluated) -> Row:
    """The row of a training that has ended by itself."""
    trained, result, test = evaluated.trained, evaluated.trained.result, evaluated.test
    recipe = trained.training.recipe
    return Row(
        recipe=recipe.name,
        seed=trained.training.seed,
        name=name,
        status="reused" if trained.reused else result.status,
        expected=result.status == "finished" or recipe.diverges,
        mlflow_run_id=trained.run.run_id,
        parameters=result.parameters,
        train_seconds=result.train_seconds,
        images_per_second=result.images_per_second,
        validation_accuracy=result.validation_accuracy,
        test_accuracy=test.accuracy,
        test_low=test.accuracy_low,
        test_high=test.accuracy_high,
        first_nan_step=result.first_nan_step,
    )


def _candidate(evaluated: Evaluated) -> Candidate:
    result = evaluated.trained.result
    return Candidate(
        result.status,
        evaluated.trained.training.recipe.diverges,
        result.validation_accuracy,
        evaluated.validation_loss,
        result.parameters,
    )


@patient_task("compare")
def compare(
    session: Session, data_folder: Path, rows: Sequence[Row], evaluated: dict[str, Evaluated]
) -> Evaluated | None:
    """Log the comparison table and the overlaid curves on the parent run; gives the candidate for promotion."""
    winner = best({name: _candidate(each) for name, each in evaluated.items()})
    candidate = None if winner is None else evaluated[winner]
    tracker, parent = session.tracker, session.parent_run_id
    table = pd.DataFrame([vars(each) for each in rows]).drop(columns=["name", "expected"])
    tracker.log_text(parent, table.to_csv(index=False), "comparison.csv")
    metrics = []
    for recipe, (average, deviation, count) in spread((each.recipe, each.test_accuracy) for each in rows).items():
        metrics.append((RECIPE_ACCURACY + recipe, average))
        if count > 1:
            metrics.append((RECIPE_ACCURACY_SD + recipe, deviation))
    tracker.log_now(parent, metrics)
    if not evaluated:
        return None
    if candidate:
        tracker.log(parent, tags={"best": f"{winner}, {candidate.test.accuracy:.2%}"})
    compared = [
        Compared(
            each.name,
            evaluated[each.name].trained.directory.path,
            "best" if each.name == winner else evaluated[each.name].trained.result.status,
            evaluated[each.name].trained.training.recipe.study,
        )
        for each in rows
        if each.test_accuracy is not None
    ]
    with TemporaryDirectory() as folder:
        for file in session.drawer.comparison(compared, data_folder, Path(folder)):
            tracker.log_file(parent, file, "figures")
    return candidate
