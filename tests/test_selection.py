from dataclasses import replace

import numpy as np
import pytest

from mnist_models.evaluation.selection import Candidate, best, spread

GOOD = Candidate("finished", False, validation_accuracy=0.99, validation_loss=0.05, parameters=1000)
NAN = float("nan")


@pytest.mark.parametrize(
    "worse",
    [
        replace(GOOD, validation_accuracy=0.98, validation_loss=0.01, parameters=1),
        replace(GOOD, validation_loss=0.06, parameters=1),
        replace(GOOD, parameters=1001),
        replace(GOOD, validation_accuracy=NAN),
        replace(GOOD, validation_loss=NAN),
        replace(GOOD, status="diverged", validation_accuracy=1.0),
        replace(GOOD, diverges=True, validation_accuracy=1.0),
    ],
)
def test_the_better_one_wins_in_any_order(worse):
    assert best({"good": GOOD, "worse": worse}) == "good"
    assert best({"worse": worse, "good": GOOD}) == "good"


def test_of_equals_the_first_wins():
    assert best({"b": GOOD, "a": GOOD}) == "b"


def test_a_candidate_without_numbers_is_better_than_none():
    assert best({"only": replace(GOOD, validation_accuracy=NAN, validation_loss=NAN)}) == "only"


def test_nobody_qualifies():
    assert best({}) is None
    assert best({"diverged": replace(GOOD, status="diverged"), "meant to": replace(GOOD, diverges=True)}) is None


def test_spread_over_the_seeds_of_each_recipe():
    result = spread([("a", 0.9), ("b", 0.5), ("a", 0.8), ("failed", None), ("a", 0.7)])
    assert list(result) == ["a", "b"]
    assert result["a"] == pytest.approx((0.8, np.std([0.9, 0.8, 0.7], ddof=1), 3))
    assert (result["b"].mean, result["b"].seeds) == (0.5, 1)
    assert np.isnan(result["b"].sd)
    assert spread([]) == {}
