"""How long a recipe is trained, when it is validated, and its learning rate."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_models.recipe_catalog import all_recipes, find_recipe
from mnist_models.training_run.schedules import one_cycle, total_steps, validation_steps

RECIPE = find_recipe("softmax_regression")


def test_length_follows_the_data_but_not_below_the_least():
    recipe = replace(RECIPE, steps=None, epochs=2, least_steps=50)
    assert total_steps(recipe, 55_000) == 1100
    assert total_steps(recipe, 500) == 50
    assert total_steps(RECIPE, 500) == total_steps(RECIPE, 55_000) == 1000


@pytest.mark.parametrize(
    ("steps", "validations", "expected"),
    [(60, 6, [10, 20, 30, 40, 50, 60]), (10, 3, [3, 7, 10]), (3, 10, [1, 2, 3]), (1, 1, [1])],
)
def test_validations_are_evenly_spaced_and_the_last_is_at_the_end(steps, validations, expected):
    assert validation_steps(replace(RECIPE, validations=validations), steps) == expected


def test_one_cycle_rises_from_a_tenth_to_the_peak_and_falls_to_a_hundredth():
    rates = [one_cycle(step / 100, 0.25) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[25] == pytest.approx(1)
    assert rates[100] == pytest.approx(0.01)
    rising, falling = np.diff(rates[:26]), np.diff(rates[25:])
    np.testing.assert_allclose(rising, 0.9 / 25)
    np.testing.assert_allclose(falling, -0.99 / 75)


@pytest.mark.parametrize("warm_up", [0.2, 0.25, 0.99])
@pytest.mark.parametrize("steps", [60, 215, 430, 10_000])
def test_the_peak_belongs_to_the_fall_in_float32_too(warm_up, steps):
    """The minimum chooses, bit for bit, the branch that a comparison of the step with the warm-up would."""
    share = np.arange(steps + 1, dtype=np.float32) / np.float32(steps)
    rising, falling = (one_cycle(share, np.float32(warm_up), chosen) for chosen in (lambda a, _: a, lambda _, b: b))
    minimum = one_cycle(share, np.float32(warm_up), np.minimum)
    assert minimum.dtype == np.float32
    np.testing.assert_array_equal(minimum, np.where(share < np.float32(warm_up), rising, falling))


def test_the_recipes_own_warm_ups_are_those_that_are_tested():
    recipes = all_recipes().values()
    assert {each.optimizer.warm_up for each in recipes if each.optimizer.schedule == "one_cycle"} <= {0.2, 0.25}
