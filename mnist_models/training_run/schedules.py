"""How long a recipe is trained, when it is validated, and how its learning rate moves: numbers alone."""

from collections.abc import Callable
from typing import Any

from mnist_models.recipe import Recipe


def total_steps(recipe: Recipe, images: int) -> int:
    """Return the optimiser steps on a training set of that many images (after the validation split)."""
    return recipe.steps or max(recipe.least_steps, round((recipe.epochs or 0) * images / recipe.batch_size))


def validation_steps(recipe: Recipe, steps: int) -> list[int]:
    """Return the steps after which it is validated, ascending: evenly spaced, the last at the end of all `steps`."""
    count = min(recipe.validations, steps)
    return [round(steps * number / count) for number in range(1, count + 1)]


def one_cycle(share: Any, warm_up: float, minimum: Callable[[Any, Any], Any] = min) -> Any:
    """Return the learning rate as a share of its peak, when a `share` of the steps is done: 0 to 1, number or tensor.

    Linear from a tenth up to 1 over the first `warm_up` (between 0 and 1) of the training, then linear down to a
    hundredth (Smith, 2018). `minimum` gives the smaller of two such numbers or tensors.
    """
    rising = 0.1 + 0.9 * share / warm_up
    falling = 0.01 + 0.99 * (1 - share) / (1 - warm_up)
    return minimum(rising, falling)
