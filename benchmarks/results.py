"""The README's table and picture of results, from the summaries of two runs (`make results` does all of it).

mnist train --suite all --summary state/results-all.json
mnist train --recipes ROWS-1-TO-6,fast_conv_net --seeds 3 --summary state/results-seeds.json
python benchmarks/results.py state/results-all.json state/results-seeds.json
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from documents import RESULTS, ROOT, replace_block

from mnist_models.recipe_catalog import all_recipes
from tasks.config.settings import load_settings
from tasks.tracking.tracker import Tracker

NOTEBOOK = {
    "softmax_regression": "≈ 91 %",
    "relu_dropout_naive": "better than row 1",
    "relu_dropout_diverged": "≈ 10 %, NaN",
    "relu_dropout_stable": "97 %",
    "deep_tanh_uniform": "a slow start",
    "deep_tanh_glorot": "far higher from the first epoch",
    "batchnorm_tanh": "97 %",
    "conv_net": "99 %",
    "keras_conv_net": "≈ 99 %",
    "keras_conv_net_best": "99.24 %",
}


def table(summaries: list[dict[str, Any]]) -> str:
    """One line per recipe: the notebook's claim, test accuracy (mean ± standard deviation where repeated), cost."""
    rows: dict[str, dict[str, Any]] = {}
    for summary in summaries:
        for row in summary["recipes"]:
            rows.setdefault(row["recipe"], row)
    spread = {recipe: each for summary in summaries for recipe, each in summary["spread"].items()}
    lines = [
        "| row | recipe | the notebook says | test accuracy | seeds | parameters | training, one core |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for recipe in all_recipes().values():
        row = rows[recipe.name]
        accuracy, seeds = f"{row['test_accuracy']:.2%}", 1
        if recipe.name in spread:
            each = spread[recipe.name]
            accuracy, seeds = f"{each['mean']:.2%} ± {each['sd'] * 100:.2f}", each["seeds"]
        if row["first_nan_step"] is not None:
            accuracy += f", NaN at step {row['first_nan_step']:,}"
        lines.append(
            f"| {recipe.notebook_row or '–'} | `{recipe.name}` | {NOTEBOOK.get(recipe.name, '–')} | {accuracy} |"
            f" {seeds} | {row['parameters']:,} | {row['train_seconds']:.0f} s |"
        )
    return "\n".join(lines) + "\n"


def keep_picture(summary: dict[str, Any]) -> None:
    """Copy the comparison that this run has logged."""
    client = Tracker(load_settings()).client
    with tempfile.TemporaryDirectory() as folder:
        file = client.download_artifacts(summary["mlflow_run_id"], "figures/comparison.png", folder)
        shutil.copy(file, ROOT / "docs" / "comparison.png")


def main() -> None:
    """Write the table into the README, and the picture of the first run beside it."""
    summaries = [json.loads(Path(file).read_text()) for file in sys.argv[1:]]
    replace_block(RESULTS, "results", table(summaries))
    keep_picture(summaries[0])


if __name__ == "__main__":
    main()
