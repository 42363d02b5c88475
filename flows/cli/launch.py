"""Start a flow from the command line: check first, then warm up the trainers, then let Prefect begin."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mnist_models.data.loader import PreparedData, prepare_data
from mnist_models.data.sets.names import pinned
from mnist_models.processes.temporary_folder import check_temporary_folder
from mnist_models.screen import Screen
from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.machine import machine
from mnist_models.training_run.run_directory import RunDirectory
from tasks.config.library_defaults import set_defaults
from tasks.config.settings import Settings, load_settings
from tasks.databases.start_checks import check_records
from tasks.flow_run.early_start import EarlyStart, early_start, new_backend
from tasks.flow_run.errors import RecipesFailed
from tasks.flow_run.request import TrainRequest
from tasks.progress.display import Display
from tasks.progress.output import lasting_output
from tasks.servers.health_check import check_reachable
from tasks.servers.prefect_server import check_configured_server, start_temporary_server, wait_until_ready


def run_train(parameters: dict[str, Any]) -> int:
    """Run the train flow with these parameters; return the exit status."""
    settings = quiet_settings()
    request = TrainRequest(**parameters)
    request = replace(request, data=pinned(request.data, settings.named_sets))
    machine()
    check_servers(settings)
    console = Screen(file=lasting_output())
    # A data set of the user's own is refused before anything is started; fetching the official one takes its time.
    options = request.data_options(settings.data_options)
    sets = settings.named_sets
    data = prepare_data(request.data, settings.data, console.print, options, sets) if request.data else None
    count = len(request.chosen) * request.seeds
    for broken in request.broken_files:
        console.print(f"{broken.sentence}; the other recipes are trained.", highlight=False)
    console.print(f"Training {request.title}: {_counted(count)}.", highlight=False)
    display = Display(console)
    with display.shown():
        display.wait_for("Starting Prefect and the trainers")
        server = start_temporary_server(settings)
        data = data or prepare_data("", settings.data, console.print)
        directories = [RunDirectory(settings.runs / each.folder) for each in request.trainings(data.dataset.digest)]
        to_train = sum(request.force or each.result() is None for each in directories)
        if to_train < len(directories):
            reused = f"{len(directories) - to_train} of {len(directories)}" if to_train else "everything"
            console.print(f"Trained already, and reused: {reused}. `--force` trains again.", highlight=False)
        with trainers(settings, to_train, data, display):
            from flows.cli.summary_screen import print_summary
            from flows.train import train

            wait_until_ready(server)
            gc.freeze()  # what imports have made is never garbage, and there is so much of it that each look takes long
            try:
                result, failed = train(**request.parameters()), ""
            except RecipesFailed as failure:
                result, failed = failure.summary, str(failure)
    print_summary(console, settings, result)
    if failed:
        console.print(f"\nThe exit status is 1, because of what has {failed}.", highlight=False, markup=False)
    return int(bool(failed))


def _counted(trainings: int) -> str:
    return "1 training" if trainings == 1 else f"{trainings} trainings"


@contextmanager
def trainers(
    settings: Settings, count: int, data: PreparedData | None = None, display: Display | None = None
) -> Iterator[None]:
    """Start trainers for the flow run that begins inside, so that their imports overlap with Prefect's."""
    cancellation = Cancellation()
    backend = new_backend(settings, cancellation)
    with early_start(EarlyStart(backend, cancellation, data, display)):
        backend.start(count)
        yield


def quiet_settings() -> Settings:
    """Return the settings, and leave the terminal to our own display."""
    check_temporary_folder()
    set_defaults(PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL", PREFECT_SERVER_LOGGING_LEVEL="CRITICAL")
    settings = load_settings()
    check_records(settings)
    return settings


def check_servers(settings: Settings) -> None:
    """Raise Unavailable if a server that is configured does not answer."""
    check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
    check_configured_server()


def run_status(as_json: bool = False) -> int:
    """Print how things stand; return the exit status."""
    settings = quiet_settings()
    with Screen(stderr=True).status("Starting Prefect", refresh_per_second=4):  # on a terminal only
        check_servers(settings)
        server = start_temporary_server(settings)
        from flows.cli.status import print_status

        wait_until_ready(server)
    print_status(settings, as_json)
    return 0
