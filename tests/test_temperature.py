import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.evaluation.metrics import log_loss
from mnist_models.evaluation.temperature import fit_temperature, tempered


def probabilities(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def true_and_said(temperature, count=20_000, classes=5):
    """Labels drawn from probabilities, and what a model says that is too sure by a temperature."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (count, classes))
    shares = probabilities(logits)
    labels = (shares.cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(0, classes - 1).astype(np.int32)
    return shares, probabilities(logits * temperature), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 3.0])
def test_a_model_that_is_too_sure_or_not_sure_enough_is_put_right(temperature):
    shares, said, labels = true_and_said(temperature)
    fitted = fit_temperature(said, labels)
    assert fitted == pytest.approx(temperature, rel=0.03)
    np.testing.assert_allclose(tempered(said, fitted), shares, atol=0.02)
    assert log_loss(tempered(said, fitted), labels) <= log_loss(said, labels) + 1e-6


def test_a_few_images_that_are_all_right_do_not_make_a_model_certain():
    said = np.tile(np.array([[0.8, 0.2]], np.float32), (4, 1))
    assert 0.4 < fit_temperature(said, np.zeros(4, np.int32)) < 1


@pytest.mark.parametrize("said", [np.empty((0, 3), np.float32), np.full((4, 3), np.nan, np.float32)])
def test_what_says_nothing_stays_as_it_is(said):
    assert fit_temperature(said, np.zeros(len(said), np.int32)) == 1.0


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=20), st.floats(0.1, 10)
)
def test_the_order_of_the_classes_stays(rows, temperature):
    said = np.array(rows, np.float32)
    result = tempered(said, temperature)
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-5)
    highest = said.argmax(axis=1)
    assert (result[np.arange(len(said)), highest] >= result.max(axis=1) - 1e-6).all()
