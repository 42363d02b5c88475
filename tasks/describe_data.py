"""What the data of a flow run are, on the parent run and in Prefect."""

from pathlib import Path
from tempfile import TemporaryDirectory

from prefect.artifacts import create_markdown_artifact

from mnist_models.data.loader import PreparedData
from mnist_models.data.report.files import MARKDOWN, PAGE, SHEETS
from tasks.flow_run.context import FlowRunContext
from tasks.tracking.retry import patient_task

FOLDER = "data"
MOST_SHEETS = 50  # of classes, that are logged one by one; the page shows all


@patient_task("describe data")
def describe_data(context: FlowRunContext, data: PreparedData, command: str) -> None:
    """Log the report on the data, which the `command` trains on; nearly equal images are not looked for.

    The drawing process writes it, so that it takes nothing from the flow while trainings begin.
    """
    context.writer.call(context.parent.ensure_open)  # while MLflow is away, nothing is drawn again and again
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sheets = context.renderer.data_report(data, command, folder, MOST_SHEETS)
        markdown = (folder / MARKDOWN).read_text()
        create_markdown_artifact(markdown, key="data", description=f"Data: {data.dataset.name}")

        def log() -> None:
            parent, tracker = context.parent.ensure_open(), context.tracker
            tracker.log_text(parent, markdown, f"{FOLDER}/{MARKDOWN}")
            tracker.log_file(parent, folder / PAGE, FOLDER)
            for sheet in sheets:
                tracker.log_file(parent, sheet, f"{FOLDER}/{SHEETS}")

        context.writer.call(log)
