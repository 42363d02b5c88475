"""How long fast_conv_net takes to 99.0 % and to 99.24 % (the notebook's best) on the test set, over five seeds.

Seconds of training are taken in this process, with the trainer's own loop and settings, which gives the same weights
as the pipeline bit for bit; seconds from the command are those until the pipeline's training has done the same step.

python benchmarks/time_to_accuracy.py [--fraction 0.1]
"""

import json
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from measurements import fraction_asked, keep, kept
from sandbox import Place
from trainer_in_process import set_up

from mnist_models.trainer.inference import logits_of
from mnist_models.trainer_pool.machine import machine

RECIPE = "fast_conv_net"
LEVELS = (0.99, 0.9924)
LOOKS = 20

Point = tuple[int, float, float]  # step, seconds of training until then, test accuracy after it


def curve(seed: int) -> list[Point]:
    """Points at even distances."""
    training = set_up(RECIPE, seed, machine().fast_precision)
    logits = logits_of(training.model)
    points, seconds = [], 0.0
    for number in range(LOOKS):
        start, stop = (round(training.steps * edge / LOOKS) for edge in (number, number + 1))
        began = time.perf_counter()
        training.run(start, stop)
        seconds += time.perf_counter() - began
        hits = logits(training.data.x_test).argmax(axis=1) == training.data.y_test
        points.append((stop, seconds, float(hits.mean())))
    return points


def best(points: list[Point]) -> float:
    """The highest test accuracy of them."""
    return max(accuracy for *_, accuracy in points)


def first(points: list[Point], level: float) -> Point:
    """The first of them at which the test accuracy is at this level."""
    return next(point for point in points if point[2] >= level)


def from_command(place: Place, seed: int, steps: list[int]) -> list[float]:
    """Seconds from `mnist train` to the end of each of these steps."""
    measured = place.mnist("train", "--recipes", RECIPE, "--seed", str(seed), "--force", "--no-promote")
    log = next((place.folder / "state" / "runs").glob(f"{RECIPE}-seed-{seed}-*/metrics.jsonl"))
    records = [json.loads(line) for line in log.read_text().splitlines()]
    ends = [next(record["time"] for record in records if record["step"] >= step) for step in steps]
    return [end / 1000 - measured.began for end in ends]


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    seeds = range(5) if fraction == 1 else range(1)
    curves = {seed: curve(seed) for seed in seeds}
    figures: dict[str, Any] = {
        "final_accuracies": [points[-1][2] for points in curves.values()],
        "final_accuracy_mean": mean(points[-1][2] for points in curves.values()),
        "final_accuracy_sd": stdev(points[-1][2] for points in curves.values()) if len(seeds) > 1 else None,
        "training_seconds": median(points[-1][1] for points in curves.values()),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "pipeline")
        place.mnist("train", "--recipes", "softmax_regression")  # so that both databases and the data are there
        levels = [level for level in LEVELS if all(best(points) >= level for points in curves.values())]
        reached = {seed: [first(points, level) for level in levels] for seed, points in curves.items()}
        commands = {seed: from_command(place, seed, [step for step, *_ in points]) for seed, points in reached.items()}
    for number, level in enumerate(levels):
        figures[f"{level:.2%}"] = {
            "training_seconds": median(points[number][1] for points in reached.values()),
            "seconds_from_command": median(seconds[number] for seconds in commands.values()),
        }
    rows = kept().get("notebook_suite", {}).get("pipeline_rows", {})
    if rows:
        notebook = sum(rows[name]["train_seconds"] for name in ("keras_conv_net", "keras_conv_net_best"))
        figures["rows_8_and_9_training_seconds"] = notebook
        figures["times_less_training"] = notebook / figures["training_seconds"]
    keep("time_to_accuracy", figures, fraction)


if __name__ == "__main__":
    main()
