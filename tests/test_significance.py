import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.significance import mcnemar_exact, paired_difference_interval


def paired(wins, losses, n):
    """Two models' bool [n] with the given numbers of images that only one gets right."""
    candidate, champion = np.zeros(n, bool), np.zeros(n, bool)
    candidate[:wins] = True
    champion[wins : wins + losses] = True
    both = (n + wins + losses) // 2
    candidate[both:] = champion[both:] = True
    return candidate, champion


@pytest.mark.parametrize(("wins", "losses"), [(6, 0), (8, 1), (10, 2), (12, 3), (15, 5), (21, 9), (27, 13)])
def test_closest_significant_splits(wins, losses):
    result = mcnemar_exact(*paired(wins, losses, 10000))
    assert (result.wins, result.losses) == (wins, losses)
    assert result.p_value < 0.05
    assert mcnemar_exact(*paired(wins - 1, losses, 10000)).p_value > 0.05
    assert mcnemar_exact(*paired(losses, wins, 10000)).p_value == pytest.approx(result.p_value)


def test_models_that_agree_do_not_differ():
    assert mcnemar_exact(*paired(0, 0, 10)).p_value == 1
    assert mcnemar_exact(*paired(4, 4, 10)).p_value == 1


def test_interval_equals_the_published_one():
    # Airway hyper-responsiveness before and after transplantation, table I in Fagerland et al. 2014.
    difference, low, high = paired_difference_interval(*paired(1, 7, 21))
    assert (difference, low, high) == pytest.approx((-0.286, -0.517, -0.026), abs=6e-4)


def score(wins, losses, n, difference):
    """Tango's statistic with the likelihood maximised numerically instead of by formula."""

    def loss(champion_only):
        cells = np.array([champion_only + difference, champion_only, 1 - 2 * champion_only - difference])
        counts = np.array([wins, losses, n - wins - losses])
        return -(counts * np.log(np.maximum(cells, 1e-300))).sum()

    least = max(0.0, -difference)
    best = minimize_scalar(loss, bounds=(least, (1 - difference) / 2), method="bounded", options={"xatol": 1e-12}).x
    return (wins - losses - n * difference) / np.sqrt(n * (2 * best + difference - difference**2))


@pytest.mark.parametrize(("wins", "losses", "n"), [(8, 1, 50), (3, 3, 40), (0, 5, 30), (27, 13, 1000)])
def test_interval_ends_where_the_score_test_rejects(wins, losses, n):
    _, low, high = paired_difference_interval(*paired(wins, losses, n))
    assert score(wins, losses, n, low) == pytest.approx(1.96, abs=0.01)
    assert score(wins, losses, n, high) == pytest.approx(-1.96, abs=0.01)


@pytest.mark.parametrize(("wins", "losses", "n"), [(0, 0, 10), (10, 0, 10), (0, 10, 10), (1, 0, 1), (7, 2, 10000)])
def test_interval_holds_the_difference_and_mirrors(wins, losses, n):
    difference, low, high = paired_difference_interval(*paired(wins, losses, n))
    assert -1 <= low <= difference <= high <= 1
    assert low < high
    assert difference == (wins - losses) / n
    mirrored = paired_difference_interval(*paired(losses, wins, n))
    assert mirrored == pytest.approx((-difference, -high, -low), abs=1e-9)


@pytest.mark.parametrize("sizes", [(0, 0), (3, 4)])
def test_unpaired_predictions_are_refused(sizes):
    candidate, champion = (np.zeros(size, bool) for size in sizes)
    for compare in (mcnemar_exact, paired_difference_interval):
        with pytest.raises(InvalidInput, match="same images"):
            compare(candidate, champion)
