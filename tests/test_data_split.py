import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.data.split import stratified_split
from mnist_models.errors import InvalidInput

# Skewed like real data: 1,000 images of ten classes, from 19 to 181 each.
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.int32), 19 + 18 * np.arange(10)))

label_arrays = st.lists(st.integers(2, 40), min_size=2, max_size=8).map(
    lambda counts: np.random.default_rng(sum(counts)).permutation(np.repeat(np.arange(len(counts)), counts))
)
fractions = st.floats(0, 1, exclude_min=True, exclude_max=True)


@given(label_arrays, fractions, st.integers(0, 2**64))
def test_the_parts_are_a_partition_with_every_class_on_both_sides(labels, fraction, seed):
    train, validation = stratified_split(labels, fraction, seed)
    assert train.dtype == validation.dtype == np.int64
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(labels)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()
    assert set(labels[train]) == set(labels[validation]) == set(labels)


@given(label_arrays, fractions, fractions)
def test_a_smaller_validation_set_is_a_subset_of_a_larger_one(labels, one, other):
    small, large = (set(stratified_split(labels, fraction, 7)[1]) for fraction in sorted([one, other]))
    assert small <= large


@given(st.floats(0.05, 0.95))
def test_every_class_has_its_share(fraction):
    _, validation = stratified_split(LABELS, fraction, 3)
    assert len(validation) == round(len(LABELS) * fraction)
    shares = np.bincount(LABELS) * fraction
    assert (np.abs(np.bincount(LABELS[validation]) - shares) < 1.5).all()


def test_official_sizes():
    labels = np.repeat(np.arange(10), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    train, validation = stratified_split(labels, 1 / 12, 0)
    assert (len(train), len(validation)) == (55_000, 5_000)
    assert np.bincount(labels[validation]).tolist() == [493, 562, 496, 511, 487, 452, 493, 522, 488, 496]


def test_the_seed_decides_and_the_same_seed_repeats():
    first, again, other = (stratified_split(LABELS, 0.1, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_classes_are_drawn_independently():
    labels = np.tile([0, 1], 500)
    _, validation = stratified_split(labels, 0.2, 0)
    zeros, ones = (set(validation[labels[validation] == label] // 2) for label in (0, 1))
    assert zeros != ones


def test_held_out_images_are_not_the_first_ones():
    _, validation = stratified_split(np.repeat([0, 1], 500), 0.1, 0)
    assert 350 < validation.mean() < 650


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.1, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(InvalidInput, match="validation_fraction must lie between 0 and 1"):
        stratified_split(LABELS, fraction, 0)


def test_other_refusals():
    with pytest.raises(InvalidInput, match="seed must be at least 0"):
        stratified_split(LABELS, 0.1, -1)
    with pytest.raises(InvalidInput, match="class 2 has one image"):
        stratified_split(np.array([0, 0, 2, 3, 3]), 0.1, 0)
