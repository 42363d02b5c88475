"""The order of the images: each once a pass, the same for the same seed, wherever a training is cut."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.trainer.batch_order import BatchOrder


@pytest.mark.parametrize(("images", "batch_size"), [(12, 4), (10, 4), (7, 3), (5, 8), (3, 20)])
def test_every_pass_sees_every_image_once(images, batch_size):
    indices = BatchOrder(images, batch_size, seed=0, stream=0).batches(0, 5 * images).ravel()
    for start in range(0, len(indices) - images + 1, images):
        assert sorted(indices[start : start + images]) == list(range(images))


def test_passes_and_seeds_and_streams_differ():
    first, second = np.split(BatchOrder(100, 100, seed=0, stream=0).batches(0, 2).ravel(), 2)
    other_seed = BatchOrder(100, 100, seed=1, stream=0).batches(0, 1).ravel()
    other_stream = BatchOrder(100, 100, seed=0, stream=1).batches(0, 1).ravel()
    orders = [first.tolist(), second.tolist(), other_seed.tolist(), other_stream.tolist()]
    assert len({tuple(order) for order in orders}) == 4


@given(
    images=st.integers(1, 40),
    batch_size=st.integers(1, 60),
    seed=st.integers(0, 5),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_a_step_has_the_same_batch_wherever_the_training_is_cut(images, batch_size, seed, cuts):
    steps = sum(cuts)
    whole = BatchOrder(images, batch_size, seed, stream=0).batches(0, steps)
    assert whole.shape == (steps, batch_size)
    assert whole.dtype == np.int32
    cut, start = BatchOrder(images, batch_size, seed, stream=0), 0
    for length in cuts:
        np.testing.assert_array_equal(cut.batches(start, start + length), whole[start : start + length])
        start += length
    # Also by one that begins in the middle, as after an interruption.
    fresh = BatchOrder(images, batch_size, seed, stream=0)
    np.testing.assert_array_equal(fresh.batches(steps - 1, steps), whole[-1:])


def test_it_is_known_without_tensorflow():
    code = "import mnist_models.trainer.batch_order, mnist_models.training_run.schedules, sys;"
    code += " sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
