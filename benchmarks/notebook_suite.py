"""All rows of the notebook: the pipeline against a plain Keras script and against a tutorial's pipeline.

python benchmarks/notebook_suite.py [--fraction 0.1]
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from measurements import fraction_asked, keep
from sandbox import ROOT, Place

SHORTENED = '''
"""The notebook's recipes at a share of their length."""

from dataclasses import replace

from mnist_models.recipes import batchnorm_tanh, conv_net, deep_tanh, relu_dropout, softmax_regression

SHARE = {share}


def shortened(recipe):
    """The same recipe, shorter, in a suite of its own."""
    return replace(
        recipe,
        name=recipe.name + "_part",
        steps=max(1, round(total_steps(recipe, 55_000) * SHARE)),
        epochs=None,
        validations=max(1, round(recipe.validations * SHARE)),
        continues=recipe.continues and recipe.continues + "_part",
        diverges=False,
        suites=("notebook_part",),
        notebook_row=None,
    )


MODULES = (softmax_regression, relu_dropout, deep_tanh, batchnorm_tanh, conv_net)
RECIPES = tuple(shortened(recipe) for module in MODULES for recipe in module.RECIPES)
'''


def measure(fraction: float, folder: Path) -> dict[str, Any]:
    """Wall-clock seconds of the three, one after the other on the same machine."""
    suite, environment = "notebook", {}
    if fraction < 1:
        suite = "notebook_part"
        (folder / "recipes").mkdir()
        (folder / "recipes" / "shortened.py").write_text(SHORTENED.format(share=fraction))
        environment["MNIST_RECIPES"] = str(folder / "recipes")
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
