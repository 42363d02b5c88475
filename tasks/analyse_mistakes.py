"""What a training's result gets wrong: the mistakes as a table with pictures."""

from collections.abc import Sequence

from mnist_models.class_titles import class_titles
from mnist_models.data.loader import PreparedData
from mnist_models.evaluation.mistakes_page import mistakes_html, mistakes_table
from mnist_models.shown_text import in_markdown
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.tracking.retry import patient_task


@patient_task("analyse errors")
def analyse_mistakes(context: FlowRunContext, data: PreparedData, evaluated: Evaluated) -> Evaluated:
    """Log the mistakes, unless that is done already, and close the training's run: this is its last task."""
    context.cancellation.check()
    trained = evaluated.trained
    run, tracker = context.child_runs[trained.training.folder], context.tracker
    if run.state.closed:
        return evaluated
    dataset = data.dataset
    table = mistakes_table(evaluated.predictions.test, dataset.y_test, dataset.x_test, dataset.class_names)
    texts = {"mistakes.html": mistakes_html(table), "mistakes.csv": table.to_csv(index=False)}
    if trained.result.nan_variables:
        texts["divergence.md"] = _diagnosis(evaluated, dataset.class_names)

    def log() -> None:
        for name, text in texts.items():
            tracker.log_text(run.run_id, text, name)

    def close() -> None:
        diverged_by_surprise = trained.result.status == "diverged" and not trained.training.recipe.diverges
        # A training that an earlier flow had finished, and did not live to close, ended then.
        at = trained.result.finished_at if trained.reused else None
        run.end("FAILED" if diverged_by_surprise else "FINISHED", at)
        run.note(closed=True)

    context.writer.call(log)
    context.writer.flush(run)
    context.writer.call(close)
    return evaluated


def _diagnosis(evaluated: Evaluated, class_names: Sequence[str]) -> str:
    result = evaluated.trained.result
    names = "\n".join(f"- `{name}`" for name in reversed(result.nan_variables))
    return (
        f"# Diverged at step {result.first_nan_step:,}\n\n"
        f"After this step these variables were not finite, the one nearest to the loss first:\n\n{names}\n\n"
        f"Test accuracy from then on: {result.test_accuracy:.2%}; every prediction is"
        f" {in_markdown(class_titles(class_names)[0])}, because each"
        f" probability is NaN. The weights before it are kept under `checkpoints/` and as the logged model.\n"
    )
