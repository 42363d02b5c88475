import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnist_models.evaluation.promotion import Rules, decide

RULES = Rules(accuracy_floor=0.5, significance_level=0.05, margin=0.02)
PAIRS = st.integers(1, 300).flatmap(lambda n: st.tuples(arrays(bool, n), arrays(bool, n)))


def answers(wins: int, losses: int, n: int = 1000):
    """Correctness of two models that differ on wins + losses images, and are right on all others."""
    candidate, champion = np.ones(n, bool), np.ones(n, bool)
    champion[:wins] = False
    candidate[wins : wins + losses] = False
    return candidate, champion


def test_without_a_champion_the_floor_decides():
    good, poor = np.arange(10) < 5, np.arange(10) < 4
    assert decide(good, None, False, RULES).promote
    decision = decide(poor, None, False, RULES)
    assert not decision.promote
    assert "floor of 50.00%" in decision.reason


@pytest.mark.parametrize(("wins", "losses"), [(6, 0), (8, 1), (10, 2), (12, 3), (15, 5), (21, 9), (27, 13)])
def test_same_data_needs_a_significant_difference(wins, losses):
    assert decide(*answers(wins, losses), True, RULES).promote
    decision = decide(*answers(wins - 1, losses), True, RULES)
    assert not decision.promote
    assert "McNemar" in decision.reason


def test_new_data_needs_no_more_than_not_being_worse():
    n = 10_000
    assert decide(*answers(20, 20, n), False, Rules(margin=0.002)).promote
    assert not decide(*answers(20, 20, n), False, Rules(margin=0.001)).promote
    assert not decide(*answers(0, 60, n), False, Rules(margin=0.002)).promote


@given(PAIRS, st.booleans())
def test_below_the_floor_nothing_is_promoted(pair, same_data):
    candidate, champion = pair
    if np.mean(candidate) < RULES.accuracy_floor:
        assert not decide(candidate, champion, same_data, RULES).promote


@given(PAIRS)
def test_two_models_are_never_both_better_than_the_other(pair):
    candidate, champion = pair
    assert not (decide(candidate, champion, True, RULES).promote and decide(champion, candidate, True, RULES).promote)


@given(PAIRS, st.booleans(), st.data())
def test_one_more_right_answer_never_costs_a_promotion(pair, same_data, data):
    candidate, champion = pair
    better = candidate.copy()
    better[data.draw(st.integers(0, len(candidate) - 1))] = True
    before = decide(candidate, champion, same_data, RULES).promote
    assert decide(better, champion, same_data, RULES).promote >= before


def test_predictions_of_different_images_are_not_compared():
    with pytest.raises(ValueError, match="same images"):
        decide(np.ones(3, bool), np.ones(4, bool), True, RULES)
    with pytest.raises(ValueError, match="same images"):
        decide(np.ones(0, bool), None, True, RULES)
