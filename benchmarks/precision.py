"""Whether bfloat16 convolutions cost accuracy: fast_conv_net in both precisions, over five seeds.

python benchmarks/precision.py [--fraction 0.1]
"""

import json
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from measurements import fraction_asked, keep
from sandbox import Place


def accuracies(precision: str, seeds: int, folder: Path) -> list[float]:
    """On the test set, by seed."""
    place = Place(folder / precision, MNIST_PRECISION=precision)
    place.mnist(
        "train", "--recipes", "fast_conv_net", "--seeds", str(seeds), "--no-promote", "--summary", "summary.json"
    )
    summary = json.loads((place.folder / "summary.json").read_text())
    return [row["test_accuracy"] for row in summary["recipes"]]


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    seeds = 5 if fraction == 1 else 2
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision in ("float32", "bfloat16"):
            values = accuracies(precision, seeds, Path(folder))
            figures[precision] = {"accuracies": values, "mean": mean(values), "sd": stdev(values)}
    figures["difference"] = figures["bfloat16"]["mean"] - figures["float32"]["mean"]
    keep("precision", figures, fraction)


if __name__ == "__main__":
    main()
