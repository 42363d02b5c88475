"""What tracking costs a training: the pipeline's trainings against the same ones without Prefect and MLflow.

The recipe is the one that records most per second, and both cores train, so that there is no idle one to log on.

python benchmarks/tracking_cost.py [--fraction 0.1]
"""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from measurements import fraction_asked, keep
from sandbox import Place

from mnist_models.data.loader import prepare_data
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer_pool.machine import machine
from mnist_models.trainer_pool.pool import TrainerPool
from mnist_models.training_run.job import TrainJob
from mnist_models.training_run.run_directory import RunDirectory

RECIPE = "deep_tanh_glorot"


def tracked(place: Place) -> float:
    """Seconds of training, over all trainings, in the pipeline."""
    place.mnist(
        "train", "--recipes", RECIPE, "--seeds", str(machine().workers), "--force", "--no-promote",
        "--summary", "summary.json",
    )  # fmt: skip
    summary = json.loads((place.folder / "summary.json").read_text())
    return sum(row["train_seconds"] for row in summary["recipes"])


def untracked(folder: Path) -> float:
    """The same with nothing but the trainer processes."""
    _, data = prepare_data("", folder / "data", print)

    def one(seed: int) -> float:
        directory = RunDirectory(folder / f"seed-{seed}")
        directory.write_recipe(find_recipe(RECIPE))
        with pool.slot() as slot:
            slot.run(TrainJob(directory.path, seed, data, "float32"))
        result = directory.result()
        assert result is not None
        return result.train_seconds

    workers = machine().workers
    with TrainerPool(machine(), folder / "logs") as pool, ThreadPoolExecutor(workers) as executor:
        pool.start(workers)
        return sum(executor.map(one, range(workers)))


def measure(pairs: int, folder: Path) -> dict[str, Any]:
    """Medians of alternating pairs."""
    place = Place(folder / "tracked")
    with_tracking, without = [], []
    for number in range(pairs):
        bare = folder / f"bare-{number}"
        bare.mkdir()
        without.append(untracked(bare))
        with_tracking.append(tracked(place))
        print(f"without {without[-1]:.1f} s, with {with_tracking[-1]:.1f} s", flush=True)
    return {
        "seconds_without": median(without),
        "seconds_with": median(with_tracking),
        "slower_by": median(with_tracking) / median(without) - 1,
    }


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        keep("tracking_cost", measure(5 if fraction == 1 else 1, Path(folder)), fraction)


if __name__ == "__main__":
    main()
