"""What a training's result gets wrong: the mistakes as a table with pictures."""

from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.mistakes_page import mistakes_html, mistakes_table
from tasks.evaluate import Evaluated
from tasks.flow_run.context import Session
from tasks.tracking.retry import patient_task


@patient_task("analyse errors")
def analyse_errors(session: Session, dataset: Dataset, evaluated: Evaluated) -> Evaluated:
    """Log the mistakes, unless that is done already, and close the training's run: this is its last task."""
    session.pool.check_open()
    trained, probabilities = evaluated.trained, evaluated.predictions.test
    run = trained.run
    if "closed" in run.notes:
        return evaluated
    table = mistakes_table(probabilities, dataset.y_test, dataset.x_test)
    session.tracker.log_text(run.run_id, mistakes_html(table), "mistakes.html")
    session.tracker.log_text(run.run_id, table.to_csv(index=False), "mistakes.csv")
    if trained.result.nan_variables:
        session.tracker.log_text(run.run_id, _diagnosis(evaluated), "divergence.md")
    session.leisure.finish(run.replay)
    diverged_by_surprise = trained.result.status == "diverged" and not trained.training.recipe.diverges
    # A training that an earlier flow had finished, and did not live to close, ended then.
    at = trained.result.finished_at if trained.reused else None
    session.tracker.end_run(run.run_id, "FAILED" if diverged_by_surprise else "FINISHED", at)
    run.note(closed=True)
    session.open_runs.discard(run.run_id)
    return evaluated


def _diagnosis(evaluated: Evaluated) -> str:
    result = evaluated.trained.result
    names = "\n".join(f"- `{name}`" for name in reversed(result.nan_variables))
    return (
        f"# Diverged at step {result.first_nan_step:,}\n\n"
        f"After this step these variables were not finite, the one nearest to the loss first:\n\n{names}\n\n"
        f"Test accuracy from then on: {result.test_accuracy:.2%}; every prediction is class 0, because each"
        f" probability is NaN. The weights before it are kept under `checkpoints/` and as the logged model.\n"
    )
