"""`mnist train --dry-run`: what a training would do, and about how long; nothing is started for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any, Literal

from rich.table import Column

from flows.cli.tables import new_table
from mnist_models.data.loader import PreparedData, prepare_data
from mnist_models.data.official.load import cache_folder
from mnist_models.data.split import validation_split
from mnist_models.recipe import Recipe
from mnist_models.screen import Screen
from mnist_models.trainer_pool.machine import machine
from mnist_models.training_run.metrics_log import LATEST_BYTES, read_records
from mnist_models.training_run.plan import Training
from mnist_models.training_run.run_directory import RunDirectory
from mnist_models.training_run.schedules import total_steps
from tasks.config.settings import Settings, load_settings
from tasks.config.state_folder import check_state
from tasks.flow_run.request import TrainRequest

OFFICIAL_IMAGES = 60_000  # for training, of the data set that recipes state their seconds for
OFFICIAL_FILES = 4
START_SECONDS = 15.0  # of Prefect, MLflow and TensorFlow, and of the figures and records at the end


@dataclass(frozen=True)
class Forecast:
    """What becomes of one training. `seconds` are those of the training alone; `done` is a share."""

    name: str
    recipe: str
    seed: int
    action: Literal["reused", "resumed", "trained"]
    seconds: float
    done: float = 0.0


def run_dry(parameters: dict[str, Any], as_json: bool) -> int:
    """Print what the train flow would do with these parameters; return the exit status."""
    settings = load_settings()
    request = TrainRequest(**parameters)
    check_state(settings)
    trainings, forecasts = forecast(settings, request, _data_at_hand(settings, request))
    seconds = round(wall_seconds(trainings, forecasts, machine().workers))
    if as_json:
        rows = [asdict(each) | {"seconds": round(each.seconds, 1)} for each in forecasts]
        print(json.dumps({"trainings": rows, "seconds": seconds, "trainers": machine().workers}, indent=2))
        return 0
    console = Screen()
    table = new_table(Column("recipe", no_wrap=True), "would be", Column("about", justify="right", no_wrap=True))
    for each in forecasts:
        action = f"resumed at {each.done:.0%}" if each.action == "resumed" else each.action
        table.add_row(each.name, action, "–" if each.action == "reused" else _words(each.seconds))
    console.print(table)
    counts = {word: sum(each.action == word for each in forecasts) for word in ("reused", "resumed", "trained")}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    trainers = "1 trainer" if machine().workers == 1 else f"{machine().workers} trainers"
    total = f"With {trainers} this takes about {_words(seconds)}. Nothing was started."
    all_of_them = "1 training" if len(forecasts) == 1 else f"{len(forecasts)} trainings"
    console.print(f"Of {all_of_them}: {said}. {total}", highlight=False)
    return 0


def _data_at_hand(settings: Settings, request: TrainRequest) -> PreparedData | None:
    """Return the data; None if that is the official MNIST, and would be fetched first."""
    cache = cache_folder()
    if not request.data and not (cache.is_dir() and len([*cache.glob("*-ubyte")]) == OFFICIAL_FILES):
        Screen(stderr=True).print("The official MNIST would be fetched first.")
        return None
    options = request.data_options(settings.data_options)
    return prepare_data(request.data, settings.data, lambda _: None, options, settings.named_sets)


def forecast(
    settings: Settings, request: TrainRequest, data: PreparedData | None
) -> tuple[list[Training], list[Forecast]]:
    """Return the trainings in the order in which they start, and what becomes of each."""
    trainings = request.trainings(data.dataset.digest if data else "")
    return trainings, [_forecast(settings, request, each, data) for each in trainings]


def _forecast(settings: Settings, request: TrainRequest, training: Training, data: PreparedData | None) -> Forecast:
    recipe, directory = training.recipe, RunDirectory(settings.runs / training.folder)
    steps = _steps(recipe, training.seed, data)
    of_all = expected_seconds(settings, recipe, steps)
    name = request.label(training)
    if data is not None and not request.force:
        if directory.result() is not None:
            return Forecast(name, recipe.name, training.seed, "reused", 0.0, 1.0)
        if directory.checkpoint_file.exists() and not directory.result_file.exists():
            done = min(_last_step(directory) / steps, 1.0)
            return Forecast(name, recipe.name, training.seed, "resumed", of_all * (1 - done), done)
    return Forecast(name, recipe.name, training.seed, "trained", of_all)


def _steps(recipe: Recipe, seed: int, data: PreparedData | None) -> int:
    if data is None:
        return total_steps(recipe, round(OFFICIAL_IMAGES * (1 - recipe.validation_fraction)))
    return total_steps(recipe, len(validation_split(data.dataset, recipe.validation_fraction, seed)[0]))


def expected_seconds(settings: Settings, recipe: Recipe, steps: int) -> float:
    """Return what so many steps take: as the latest training of this recipe here did, or else as the recipe says."""
    files = sorted(settings.runs.glob(f"{recipe.name}-seed-*/result.json"), key=lambda file: -file.stat().st_mtime)
    for file in files:
        try:
            result, told = json.loads(file.read_text()), json.loads((file.parent / "recipe.json").read_text())
            if told["recipe"] == json.loads(json.dumps(recipe.to_json())):
                return float(result["train_seconds"]) / int(result["steps"]) * steps
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):  # cut, or of another version
            continue
    return recipe.seconds * steps / _steps(recipe, 0, None)


def _last_step(directory: RunDirectory) -> int:
    """Return the step that the log of an unfinished training ends with."""
    file = directory.metrics_file
    size = file.stat().st_size if file.exists() else 0
    records, _ = read_records(file, max(0, size - LATEST_BYTES))
    return int(records[-1]["step"]) if records else 0


def wall_seconds(trainings: Sequence[Training], forecasts: Sequence[Forecast], trainers: int) -> float:
    """Return how long all take side by side: a free trainer takes the first whose start is done."""
    named = list(zip(trainings, forecasts, strict=True))
    ended = {training.identity for training, each in named if each.action == "reused"}
    waiting = [(training, each.seconds) for training, each in named if training.identity not in ended]
    running: list[tuple[float, str]] = []
    now = START_SECONDS
    while waiting or running:
        for item in [each for each in waiting if each[0].start is None or each[0].start.identity in ended]:
            if len(running) < trainers:
                waiting.remove(item)
                heappush(running, (now + item[1], item[0].identity))
        now, identity = heappop(running)
        ended.add(identity)
    return now


def _words(seconds: float) -> str:
    """Return a duration as it is read most easily."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return str(timedelta(minutes=round(seconds / 60))).removesuffix(":00") + " h"
