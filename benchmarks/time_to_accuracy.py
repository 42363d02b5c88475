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

from figures import fraction_asked, keep, kept
from in_process import set_up
from place import Place

from mnist_models.trainer.inference import logits_of
from mnist_models.workers.settings import machine

RECIPE = "fast_conv_net"
LEVELS = (0.99, 0.9924)
LOOKS = 20


def curve(seed: int) -> list[tuple[int, float, float]]:
    """(step, seconds of training until then, test accuracy after it), at even distances."""
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


def from_command(place: Place, seed: int, step: int) -> float:
    """Seconds from `mnist train` to the end of a step."""
    measured = place.mnist("train", "--recipes", RECIPE, "--seed", str(seed), "--force", "--no-promote")
    log = next((place.folder / "state" / "runs").glob(f"{RECIPE}-seed-{seed}-*/metrics.jsonl"))
    records = [json.loads(line) for line in log.read_text().splitlines()]
    at = next(record["time"] for record in records if record["step"] >= step)
    return at / 1000 - measured.began


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
        for level in LEVELS:
            reached = {seed: next((p for p in points if p[2] >= level), None) for seed, points in curves.items()}
            if all(reached.values()):
                commands = [from_command(place, seed, point[0]) for seed, point in reached.items() if point]
                figures[f"{level:.2%}"] = {
                    "training_seconds": median(point[1] for point in reached.values() if point),
                    "seconds_from_command": median(commands),
                }
    rows = kept().get("notebook_suite", {}).get("pipeline_rows", {})
    if rows:
        notebook = sum(rows[name]["train_seconds"] for name in ("keras_conv_net", "keras_conv_net_best"))
        figures["rows_8_and_9_training_seconds"] = notebook
        figures["times_less_training"] = notebook / figures["training_seconds"]
    keep("time_to_accuracy", figures, fraction)


if __name__ == "__main__":
    main()
