"""What ten times as much costs: steps, recorded metrics, repeats, training images.

A slope is the decimal logarithm of how many times more ten times as much takes: 0 is flat, 1 is linear.

python benchmarks/growth.py [--fraction 0.1]
"""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measurements import fraction_asked, keep
from sandbox import RECIPES, Place

from mnist_models.data.official.load import load_official


def measure(fraction: float, folder: Path) -> dict[str, Any]:
    """Each case in a place of its own, against the base case."""
    short = "" if fraction == 1 else "_short"
    mnist = load_official()
    images = folder / "images.npz"
    arrays = {"x_train": np.tile(mnist.x_train, (10, 1, 1)), "y_train": np.tile(mnist.y_train, 10)}
    np.savez(images, **arrays, x_test=mnist.x_test, y_test=mnist.y_test)
    del arrays
    cases = {
        "base": ("base",),
        "steps": ("ten_times_steps",),
        "metrics": ("ten_times_metrics",),
        "repeats": ("base", "--seeds", "10"),
        "training images": ("base", "--data", str(images)),
    }
    results = {}
    for name, (recipe, *rest) in cases.items():
        place = Place(folder / name.replace(" ", "-"), MNIST_RECIPES=str(RECIPES))
        measured = place.mnist("train", "--recipes", f"{recipe}{short}", *rest, "--summary", "summary.json")
        rows = json.loads((place.folder / "summary.json").read_text())["recipes"]
        results[name] = {
            "command_seconds": measured.seconds,
            "training_seconds": sum(row["train_seconds"] for row in rows),
            "flow_peak_mb": measured.peak_mb["command"],
            "trainer_peak_mb": measured.peak_mb["trainer"],
            "store_mb": _size(place.folder / "state" / "mlflow.db") + _size(place.folder / "state" / "artifacts"),
        }
        print(name, results[name], flush=True)
    slopes = {
        name: {key: math.log10(result[key] / results["base"][key]) for key in result}
        for name, result in results.items()
        if name != "base"
    }
    return {"results": results, "slopes": slopes}


def _size(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 2**20


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        keep("growth", measure(fraction, Path(folder)), fraction)


if __name__ == "__main__":
    main()
