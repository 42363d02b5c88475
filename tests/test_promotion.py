from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnist_models.evaluation.promotion import Rules, decide, judge
from mnist_models.evaluation.same_problem import other_names

RULES = Rules(accuracy_floor=0.5, significance_level=0.05, margin=0.02)
PAIRS = st.integers(1, 300).flatmap(lambda n: st.tuples(arrays(bool, n), arrays(bool, n)))


def numbers(k=10):
    return tuple(map(str, range(k)))


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


@given(PAIRS, st.data())
def test_one_more_right_answer_of_the_champion_never_helps_the_candidate(pair, data):
    candidate, champion = pair
    better = champion.copy()
    better[data.draw(st.integers(0, len(champion) - 1))] = True
    same_data = data.draw(st.booleans())
    before = decide(candidate, champion, same_data, RULES).promote
    assert decide(candidate, better, same_data, RULES).promote <= before


@given(PAIRS)
def test_the_numbers_of_two_models_mirror_each_other(pair):
    candidate, champion = pair
    rules = replace(RULES, accuracy_floor=0.0)
    one, other = (decide(*models, True, rules).numbers for models in ((candidate, champion), (champion, candidate)))
    assert one["difference"] == pytest.approx(-other["difference"])
    assert one["difference_low"] == pytest.approx(-other["difference_high"], abs=1e-6)
    assert (one["wins"], one["losses"]) == (other["losses"], other["wins"])
    assert one["p_value"] == pytest.approx(other["p_value"])


@given(PAIRS, st.booleans())
def test_a_model_never_replaces_one_that_answers_alike(pair, same_data):
    candidate, _ = pair
    assert not decide(candidate, candidate, True, RULES).promote
    assert decide(candidate, candidate, same_data, RULES) == decide(candidate, candidate.copy(), same_data, RULES)


PROBABILITIES = st.tuples(st.integers(1, 40), st.integers(2, 4)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
        arrays(np.float32, shape, elements=st.floats(width=32, allow_nan=True, allow_infinity=True)) | st.none(),
        arrays(np.int32, shape[0], elements=st.integers(0, shape[1] - 1)),
    )
)


@given(PROBABILITIES, st.booleans())
def test_what_is_not_finite_is_never_promoted(models, same_data):
    candidate, champion, labels = models
    lax = Rules(accuracy_floor=0.0, significance_level=0.49, margin=0.5)
    decision = judge(candidate, champion, labels, same_data, lax, numbers(candidate.shape[1]))
    if not np.isfinite(candidate).all():
        assert not decision.promote
        assert "not finite" in decision.reason
    assert all(np.isfinite(number) for number in decision.numbers.values())


def test_a_diverged_model_is_not_saved_by_a_class_that_happens_to_be_the_first():
    labels = np.zeros(100, np.int32)  # NaN counts as class 0, so that every answer would be right
    diverged, sound = np.full((100, 2), np.nan, np.float32), np.tile(np.float32([0.9, 0.1]), (100, 1))
    assert not judge(diverged, None, labels, False, RULES, numbers(2)).promote
    assert judge(sound, None, labels, False, RULES, numbers(2)).promote
    assert judge(sound, diverged, labels, True, RULES, numbers(2)).promote
    assert not judge(sound, sound, labels, True, RULES, numbers(2)).promote


@given(st.floats(allow_nan=True))
def test_a_floor_that_is_no_number_lets_nothing_through(level):
    everything = np.ones(50, bool)
    decision = decide(everything, None, False, replace(RULES, accuracy_floor=level))
    assert decision.promote == (level <= 1)


def test_predictions_of_different_images_are_not_compared():
    with pytest.raises(ValueError, match="same images"):
        decide(np.ones(3, bool), np.ones(4, bool), True, RULES)
    with pytest.raises(ValueError, match="same images"):
        decide(np.ones(0, bool), None, True, RULES)


def certain(classes, wrong=()):
    """Probabilities of a model that is sure of these classes, but for the images `wrong`."""
    answers = np.array(classes)
    answers[list(wrong)] = (answers[list(wrong)] + 1) % 10
    return np.eye(10, dtype=np.float32)[answers]


LABELS = np.arange(1000, dtype=np.int32) % 10
CYCLED = np.array([1, 2, 3, 4, 0, 5, 6, 7, 8, 9])
SWAPPED = np.array([1, 0, 2, 3, 4, 5, 6, 7, 8, 9])


@pytest.mark.parametrize("champion", [9 - LABELS, SWAPPED[LABELS], np.zeros(1000, int), (LABELS + 1) % 10], ids=str)
def test_a_champion_of_another_problem_keeps_its_place_unless_told_otherwise(champion):
    candidate, said = certain(LABELS), judge(certain(LABELS), certain(champion), LABELS, False, RULES, numbers())
    assert not said.promote
    assert not said.contends
    assert "solves another problem" in said.reason
    assert "--model NAME" in said.reason
    assert judge(candidate, certain(champion), LABELS, False, replace(RULES, replace=True), numbers()).promote
    assert judge(candidate, certain(champion), LABELS, True, RULES, numbers()).promote  # on its own data it is just bad


@pytest.mark.parametrize("wrong", [range(0), range(300), range(0, 1000, 2), range(880)])
def test_a_champion_that_is_worse_on_new_data_still_solves_the_same_problem(wrong):
    scattered = np.random.default_rng(0).integers(0, 10, 1000)
    champion = certain(np.where(np.isin(np.arange(1000), list(wrong)), scattered, LABELS))
    assert judge(certain(LABELS), champion, LABELS, False, RULES, numbers()).promote


def test_a_champion_whose_numbers_are_broken_is_replaced():
    assert judge(certain(LABELS), np.full((1000, 10), np.nan, np.float32), LABELS, False, RULES, numbers()).promote


def test_only_what_could_have_been_promoted_contends():
    assert not judge(certain(LABELS, range(600)), None, LABELS, False, RULES, numbers()).contends
    assert judge(certain(LABELS), certain(LABELS), LABELS, True, RULES, numbers()).contends


def test_the_sentence_says_the_names_of_classes():
    names = ("$air$", "b" * 60, *(f"kind {number}" for number in range(2, 10)))
    reason = judge(certain(LABELS), certain(SWAPPED[LABELS]), LABELS, False, RULES, names).reason
    assert "with its classes renamed: $air$ to bbb" in reason
    assert "b to $air$; give" in reason
    assert "b" * 41 not in reason
    many = judge(certain(LABELS), certain(CYCLED[LABELS]), LABELS, False, RULES, names).reason
    assert "kind 2 to bbb" in many
    assert " …; give" in many


def test_other_names_are_another_problem():
    known = ("circle", "square", "triangle", "star", "line")
    assert other_names(known, known) is None
    assert other_names(known, [*known]) is None
    swapped = ("circle", "triangle", "square", "star", "line")
    assert other_names(known, swapped) == "classes in another order: square, triangle, here triangle, square"
    assert other_names(known, (*known[:4], "dot")) == "classes line, here dot"
    all_other = other_names(known, tuple("abcde"))
    assert all_other == "classes circle, square, triangle …, here a, b, c …"
    assert other_names(numbers(5), known).startswith("classes 0, 1, 2 …, here circle")
    assert len(other_names(("x" * 200,), ("y" * 200,))) < 110
