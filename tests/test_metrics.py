import numpy as np
import pytest
from scipy.stats import binomtest

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.calibration import calibration
from mnist_models.evaluation.metrics import (
    brier,
    confusion_matrix,
    evaluate,
    log_loss,
    mistake_indices,
    predicted,
    wilson_interval,
)
from mnist_models.metric_names import TEST_ACCURACY, TEST_BRIER, TEST_CALIBRATION_ERROR, TEST_LOSS

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [0.25, 0.25, 0.5]], np.float32)
LABELS = np.array([0, 1, 1, 0], np.int32)


def test_evaluation_of_a_made_example():
    evaluation = evaluate(PROBABILITIES, LABELS)
    low, high = wilson_interval(2, 4)
    one_hot = np.eye(3)[LABELS]
    # A metric that is added needs a line here only if its value is to be held.
    expected = {
        "test/accuracy": 0.5,
        "test/accuracy_low": low,
        "test/accuracy_high": high,
        "test/mistakes": 2,
        "test/loss": pytest.approx(-np.log([0.7, 0.8, 0.3, 0.25]).mean(), rel=1e-6),
        "test/brier": pytest.approx(np.square(PROBABILITIES - one_hot).sum(axis=1).mean(), rel=1e-6),
        "test/calibration_error": pytest.approx((0.3 + 0.2 + 0.5 + 0.5) / 4, abs=1e-6),
    }
    assert {name: evaluation.metrics[name] for name in expected} == expected
    assert (evaluation.accuracy, evaluation.accuracy_low, evaluation.accuracy_high) == (0.5, low, high)


def test_confusion_matrix_counts_labels_in_rows():
    matrix = confusion_matrix(PROBABILITIES, LABELS)
    assert matrix.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert matrix.dtype == np.int64


def test_calibration_error_of_a_made_example():
    # Two images in the bin of 0.9 (one right), one in that of 0.55 (right): 2/3 × 0.4 + 1/3 × 0.45.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55]], np.float32)
    bins = calibration(probabilities, np.array([0, 1, 1], np.int32))
    assert bins.error == pytest.approx((2 * 0.4 + 0.45) / 3, abs=1e-6)
    assert bins.counts[[8, 13]].tolist() == [1, 2]
    assert bins.accuracy[13] == 0.5
    assert bins.confidence[13] == pytest.approx(0.9)
    assert np.isnan(bins.accuracy[0])


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_bins_have_their_upper_end(confidence):
    bins = calibration(np.array([[confidence, 1 - confidence]], np.float32), np.array([0], np.int32))
    assert bins.counts.argmax() == {0.5: 7, 1.0: 14}[confidence]


def test_perfect_calibration_has_no_error():
    probabilities = np.full((4, 2), (0.75, 0.25), np.float32)
    assert calibration(probabilities, np.array([0, 0, 0, 1], np.int32)).error == pytest.approx(0, abs=1e-6)


def test_a_diverged_model_predicts_the_first_class():
    probabilities = np.full((4, 3), np.nan, np.float32)
    metrics = evaluate(probabilities, LABELS).metrics
    assert metrics[TEST_ACCURACY] == 0.5
    assert confusion_matrix(probabilities, LABELS)[:, 0].sum() == 4
    assert np.isnan([metrics[TEST_LOSS], metrics[TEST_BRIER], metrics[TEST_CALIBRATION_ERROR]]).all()


def test_one_nan_row_is_not_hidden():
    probabilities = PROBABILITIES.copy()
    probabilities[1] = np.nan
    metrics = evaluate(probabilities, LABELS).metrics
    assert np.isnan(metrics[TEST_LOSS])
    assert np.isnan(metrics[TEST_CALIBRATION_ERROR])
    assert metrics[TEST_ACCURACY] == 0.25


def test_certain_mistakes_cost_a_finite_loss():
    mistake = np.array([[1, 0]], np.float32), np.array([1], np.int32)
    assert log_loss(*mistake) == pytest.approx(-np.log(1e-7))
    assert brier(*mistake) == pytest.approx(2)


def test_mistakes_are_ordered_by_confidence_and_nan_is_last():
    probabilities = np.array(
        [[0.4, 0.6], [np.nan, np.nan], [0.1, 0.9], [0.9, 0.1], [0.4, 0.6], [np.nan, 0.7]], np.float32
    )
    labels = np.array([0, 1, 0, 0, 0, 0], np.int32)
    assert mistake_indices(probabilities, labels).tolist() == [2, 5, 0, 4, 1]
    assert mistake_indices(probabilities[3:4], labels[3:4]).tolist() == []
    with pytest.raises(InvalidInput):
        mistake_indices(probabilities, labels[:2])


def test_predicted_takes_the_first_of_equals():
    assert predicted(np.array([[0.5, 0.5], [0.1, 0.9]], np.float32)).tolist() == [0, 1]


def test_predicted_takes_numbers_before_nan():
    assert predicted(np.array([[np.nan, 0.2, 0.8], [np.nan] * 3], np.float32)).tolist() == [2, 0]


@pytest.mark.parametrize("k", [2, 1000])
def test_any_number_of_classes(k):
    labels = np.arange(k, dtype=np.int32)
    evaluation = evaluate(np.eye(k, dtype=np.float32), labels)
    assert evaluation.accuracy == 1
    assert (confusion_matrix(np.eye(k, dtype=np.float32), labels) == np.eye(k)).all()
    assert evaluation.accuracy_low < evaluation.accuracy_high == 1


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (10, 10), (9927, 10000), (1, 3), (500, 1000)])
def test_wilson_interval_equals_scipys(correct, n):
    expected = binomtest(correct, n).proportion_ci(method="wilson")
    assert wilson_interval(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_interval_of_nothing_is_everything():
    assert wilson_interval(0, 0) == (0, 1)


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        (np.zeros((0, 3), np.float32), np.zeros(0, np.int32)),
        (PROBABILITIES, LABELS[:3]),
        (PROBABILITIES, np.array([0, 1, 3, 0], np.int32)),
        (PROBABILITIES, np.array([0, 1, -1, 0], np.int32)),
        (PROBABILITIES[:, 0], LABELS),
    ],
)
def test_what_does_not_fit_together_is_refused(probabilities, labels):
    with pytest.raises(InvalidInput, match=r"must"):
        evaluate(probabilities, labels)
