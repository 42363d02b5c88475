"""All trainings of a flow run side by side, on the parent run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mnist_models.evaluation.selection import Candidate, best, spread
from mnist_models.figures.renderer import Compared
from mnist_models.metric_names import KEPT_VALIDATION_ACCURACY, RECIPE_ACCURACY, RECIPE_ACCURACY_SD, TEST_ACCURACY
from mnist_models.recipe_catalog import BrokenFile
from tasks.evaluate import Evaluated, readable
from tasks.flow_run.context import FlowRunContext
from tasks.tracking.retry import patient_task

FROM_RESULT = ("parameters", "train_seconds", "images_per_second", "validation_accuracy", "first_nan_step")


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


def row_of(context: FlowRunContext, evaluated: Evaluated) -> Row:
    """Return the row of a training that has ended by itself."""
    trained, result, test = evaluated.trained, evaluated.trained.result, evaluated.test
    training = trained.training
    return Row(
        recipe=training.recipe.name,
        seed=training.seed,
        name=trained.name,
        status="reused" if trained.reused else result.status,
        expected=result.status == "finished" or training.recipe.diverges,
        mlflow_run_id=context.child_runs[training.folder].run_id,
        test_accuracy=test.accuracy,
        test_low=test.accuracy_low,
        test_high=test.accuracy_high,
        **{name: getattr(result, name) for name in FROM_RESULT},
    )


def row_of_file(broken: BrokenFile) -> Row:
    """Return the row of a file whose recipes could not even be read."""
    return Row(broken.name, 0, broken.name, "failed", expected=False, reason=f"cannot be loaded: {broken.reason}")


def _candidate(evaluated: Evaluated) -> Candidate:
    result, may_diverge = evaluated.trained.result, evaluated.trained.training.recipe.diverges
    ranks = result.validation_accuracy, evaluated.validation_loss, result.parameters
    return Candidate(result.status, may_diverge, *ranks)


@patient_task("compare")
def compare(
    context: FlowRunContext, data_folder: Path, rows: Sequence[Row], evaluated: dict[str, Evaluated]
) -> Evaluated | None:
    """Log the comparison table and the overlaid curves on the parent run; return the candidate for promotion."""
    winner = best({name: _candidate(each) for name, each in evaluated.items()})
    candidate = None if winner is None else evaluated[winner]
    with TemporaryDirectory() as folder:
        compared = _compared(rows, evaluated, candidate)
        figures = context.renderer.comparison(compared, data_folder, Path(folder)) if compared else []
        context.writer.call(lambda: _log(context, rows, candidate, figures))
    return candidate


def _compared(rows: Sequence[Row], evaluated: dict[str, Evaluated], candidate: Evaluated | None) -> list[Compared]:
    return [
        Compared(
            each.trained.name,
            each.trained.directory.path,
            "best" if each is candidate else each.trained.result.status,
            each.trained.training.recipe.study,
        )
        for each in (evaluated[row.name] for row in rows if row.test_accuracy is not None)
    ]


def _log(context: FlowRunContext, rows: Sequence[Row], candidate: Evaluated | None, figures: Sequence[Path]) -> None:
    tracker, parent = context.tracker, context.parent.ensure_open()
    table = pd.DataFrame([vars(each) for each in rows]).drop(columns=["name", "expected"])
    tracker.log_text(parent, table.to_csv(index=False), "comparison.csv")
    metrics = []
    for recipe, (average, deviation, count) in spread((each.recipe, each.test_accuracy) for each in rows).items():
        metrics.append((RECIPE_ACCURACY + recipe, readable(average)))
        if count > 1:
            metrics.append((RECIPE_ACCURACY_SD + recipe, readable(deviation)))
    tags = {"status": ", ".join(f"{count} {status}" for status, count in Counter(row.status for row in rows).items())}
    if candidate:
        tags["best"] = f"{candidate.trained.name}, {candidate.test.accuracy:.2%}"
        metrics.append((TEST_ACCURACY, readable(candidate.test.accuracy)))
        metrics.append((KEPT_VALIDATION_ACCURACY, readable(candidate.trained.result.validation_accuracy)))
    tracker.log_now(parent, metrics)
    tracker.log(parent, tags=tags)
    for file in figures:
        tracker.log_file(parent, file, "figures")
