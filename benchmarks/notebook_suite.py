"""All rows of the notebook: the pipeline against a plain Keras script and against a tutorial's pipeline.

python benchmarks/notebook_suite.py [--fraction 0.1]
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from measurements import fraction_asked, keep
from sandbox import RECIPES, ROOT, Place


def measure(fraction: float, folder: Path) -> dict[str, Any]:
    """Wall-clock seconds of the three, one after the other on the same machine."""
    suite, environment = "notebook", {}
    if fraction < 1:
        suite = "notebook_part"
        environment = {"MNIST_RECIPES": str(RECIPES), "MNIST_NOTEBOOK_SHARE": str(fraction)}
    share = ("--fraction", str(fraction))
    pipeline = Place(folder / "pipeline", **environment)
    ours = pipeline.mnist("train", "--suite", suite, "--force", "--summary", "summary.json")
    summary = json.loads((pipeline.folder / "summary.json").read_text())
    print(f"pipeline: {ours.seconds:.0f} s", flush=True)
    plain = Place(folder / "plain").run(str(ROOT / "benchmarks" / "plain_script.py"), *share)
    print(f"plain script: {plain.seconds:.0f} s", flush=True)
    tutorial = Place(folder / "tutorial").run(str(ROOT / "benchmarks" / "tutorial_pipeline.py"), *share)
    print(f"tutorial pipeline: {tutorial.seconds:.0f} s", flush=True)
    return {
        "pipeline_seconds": ours.seconds,
        "plain_seconds": plain.seconds,
        "tutorial_seconds": tutorial.seconds,
        "times_plain": plain.seconds / ours.seconds,
        "times_tutorial": tutorial.seconds / ours.seconds,
        "pipeline_peak_mb": ours.peak_mb,
        "plain_peak_mb": plain.peak_mb,
        "tutorial_peak_mb": tutorial.peak_mb,
        "pipeline_rows": {
            row["recipe"]: {"test_accuracy": row["test_accuracy"], "train_seconds": row["train_seconds"]}
            for row in summary["recipes"]
        },
        "plain_rows": [line for line in plain.output.splitlines() if line.endswith(" s") and "%" in line],
    }


def main() -> None:
    """Measure, show, keep."""
    fraction = fraction_asked(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        keep("notebook_suite", measure(fraction, Path(folder)), fraction)


if __name__ == "__main__":
    main()
