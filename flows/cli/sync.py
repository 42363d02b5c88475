"""`mnist sync`: send what MLflow could not take."""

from flows.cli.launch import run_train
from mnist_models.data.loader import prepare_data
from mnist_models.data.options import DataOptions
from mnist_models.errors import Unavailable
from mnist_models.recipe import Recipe
from mnist_models.recipe_catalog import all_recipes, more_recipes
from mnist_models.screen import Screen
from mnist_models.training_run.run_directory import RunDirectory
from tasks.config.settings import Settings, load_settings
from tasks.databases.start_checks import check_records
from tasks.flow_run.request import TrainRequest
from tasks.flow_run.unsent_requests import unsent_requests
from tasks.servers.health_check import check_reachable


def run_sync() -> int:
    """Make each kept request once more, in which what was trained is reused; return the exit status.

    Raise Unavailable if MLflow is still away, or the data of a request has changed since.
    """
    settings, console = load_settings(), Screen()
    check_records(settings)
    requests = unsent_requests(settings)
    if not requests:
        console.print("Nothing is unsent.")
        return 0
    check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
    worst = 0
    for number, unsent in enumerate(requests, 1):
        title = ", ".join(unsent.request["recipes"]) or unsent.request["suite"]
        console.print(f"Sending {number} of {len(requests)}: {title}.", highlight=False)
        data, options = unsent.request["data"], TrainRequest(**unsent.request).data_options(settings.data_options)
        if data and _digest(settings, data, options, console) != unsent.data_digest:
            raise Unavailable(
                f"{data} has changed since {title} was trained on it, so that"
                f" {settings.flows / unsent.flow_run_id}.json cannot be sent: put the old data back, or remove that"
                " file to do without."
            )
        with more_recipes(*recipes_without_file(settings, unsent.request["recipes"])):
            worst = max(worst, run_train(unsent.request))
    console.print(f"Sent: {len(requests)}. Nothing is unsent any more.", highlight=False)
    return worst


def _digest(settings: Settings, data: str, options: DataOptions, console: Screen) -> str:
    return prepare_data(data, settings.data, console.print, options, settings.named_sets).dataset.digest


def recipes_without_file(settings: Settings, names: list[str]) -> list[Recipe]:
    """Return those that only a program knew, as their trainings have left them in their run directories."""
    missing = [name for name in names if name not in all_recipes()]
    files = (file for name in missing for file in [*settings.runs.glob(f"{name}-seed-*/recipe.json")][:1])
    return [RunDirectory(file.parent).recipe() for file in files]
