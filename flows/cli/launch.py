"""Start a flow from the command line: check first, then warm up the trainers, then let Prefect begin."""

import ctypes
import gc
from contextlib import suppress
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tasks.config.library_defaults import set_defaults
from tasks.config.settings import Settings
from tasks.servers.health_check import check_reachable
from tasks.servers.prefect_server import check_configured_server, start_temporary_server, wait_until_ready

M_ARENA_MAX = -8  # malloc.h, glibc


def run_train(
    suite: str, recipes: list[str], seed: int, seeds: int, data: str, promote: bool, force: bool, summary: str
) -> int:
    """Run the train flow; gives the exit status."""
    from mnist_models.data.loader import prepare_data
    from mnist_models.trainer_pool.machine import machine
    from mnist_models.training_run.run_directory import RunDirectory
    from tasks.config.settings import load_settings
    from tasks.flow_run.context import trainers_started_early
    from tasks.flow_run.request import check_request

    _set_environment()
    _share_heaps()
    settings = load_settings()
    request = check_request(suite, recipes, seed, seeds, summary)
    machine()
    _check_servers(settings)
    console = Console()
    # A data set of the user's own is refused before anything is started; fetching the official one takes its time.
    dataset = prepare_data(data, settings.data, console.print)[0] if data else None
    count = len(request.recipes) * len(request.seeds)
    console.print(f"Training {count} {'recipe' if count == 1 else 'recipes'}; starting Prefect and the trainers.")
    server = start_temporary_server(settings)
    dataset = dataset or prepare_data("", settings.data, console.print)[0]
    folders = [settings.runs / training.folder for training in request.trainings(dataset.digest)]
    unfinished = sum(force or RunDirectory(folder).result() is None for folder in folders)
    with trainers_started_early(settings, unfinished):
        from flows.train import train
        from tasks.flow_run.errors import RecipesFailed
        from tasks.summarize import print_summary

        wait_until_ready(server)
        gc.freeze()  # what imports have made is never garbage, and there is so much of it that each look takes long
        try:
            result = train(suite, recipes, seed, seeds, data, promote, force, summary)
            status = 0
        except RecipesFailed as failure:
            result, status = failure.summary, 1
    print_summary(console, settings, result)
    return status


def _set_environment() -> None:
    """Leave the terminal to our own display."""
    set_defaults(
        PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
        PREFECT_SERVER_LOGGING_LEVEL="CRITICAL",
    )


def _share_heaps() -> None:
    """Threads share two heaps, where glibc would give most of them one of their own and let it grow; mallopt(3)."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def _check_servers(settings: Settings) -> None:
    check_reachable("MLFLOW_TRACKING_URI", settings.resolved_tracking_uri)
    check_configured_server()


def run_predict(files: list[str], as_json: bool) -> int:
    """Run the predict flow and print what it finds; gives the exit status."""
    import json
    from pathlib import Path

    from mnist_models.images.read import read_image
    from tasks.config.settings import load_settings
    from tasks.flow_run.context import trainers_started_early

    _set_environment()
    settings = load_settings()
    for file in files:
        read_image(Path(file))
    _check_servers(settings)
    server = start_temporary_server(settings)
    with trainers_started_early(settings, 1):
        from flows.predict import predict

        wait_until_ready(server)
        rows = predict(files)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print_predictions(rows)
    return 0


def run_status() -> int:
    """Print how things stand; gives the exit status."""
    from tasks.config.settings import load_settings

    _set_environment()
    settings = load_settings()
    _check_servers(settings)
    server = start_temporary_server(settings)
    from flows.cli.status import print_status

    wait_until_ready(server)
    print_status(settings)
    return 0


def _print_predictions(rows: list[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    for heading in ("label", "probability", "runner-up", "probability"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        first, second = f"{row['probability']:.1%}", f"{row['runner_up_probability']:.1%}"
        table.add_row(row["file"], str(row["label"]), first, str(row["runner_up"]), second)
    Console().print(table)
