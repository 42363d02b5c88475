"""A small recipe, with ten times the steps and with ten times the validations; and all three with a tenth of the steps.

The shorter ones are for a look: benchmarks/growth.py with a `--fraction` below 1.
"""

from dataclasses import replace

from mnist_models.recipes.relu_dropout import NAIVE

BASE = replace(
    NAIVE, name="base", loss="cross_entropy", steps=2000, validations=10, suites=("growth",), notebook_row=None
)
RECIPES = tuple(
    replace(BASE, name=f"{name}{suffix}", steps=times * steps, validations=validations)
    for suffix, steps in (("", 2000), ("_short", 200))
    for name, times, validations in (("base", 1, 10), ("ten_times_steps", 10, 10), ("ten_times_metrics", 1, 100))
)
