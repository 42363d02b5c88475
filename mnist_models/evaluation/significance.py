"""Whether a candidate model is better than the champion on the same test images."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.metrics import Z_95

Correct = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class McNemar:
    """The outcome of an exact McNemar test."""

    wins: int  # images that only the candidate classifies correctly
    losses: int  # images that only the champion classifies correctly
    p_value: float  # probability of a split at least this uneven if both models were equally good, 0 to 1


def mcnemar_exact(candidate: Correct, champion: Correct) -> McNemar:
    """Return the two-sided exact test of equal accuracy on paired predictions, bool [n] each: True for a correct one.

    Only the images on which the models differ carry information: under the null hypothesis each is the throw of a
    fair coin. At 5 % the closest significant splits are 6-0, 8-1, 10-2, 12-3, 15-5, 21-9, 27-13.

    Source: McNemar, Psychometrika 12 (1947) 153-157, with binomial instead of normal probabilities.
    Raise InvalidInput if the arrays are empty or differ in length.
    """
    from scipy.stats import binomtest

    wins, losses = _discordant(candidate, champion)
    return McNemar(wins, losses, float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0)


def paired_difference_interval(candidate: Correct, champion: Correct) -> tuple[float, float, float]:
    """Return (difference, low, high): candidate's minus champion's accuracy on paired predictions, bool [n] each.

    The 95 % interval holds the differences that the score test does not reject at 5 %. It keeps its coverage when
    few predictions differ, where the simple normal interval fails. It is not exact: for splits just short of
    significance (5-0, 7-1, 9-2) it excludes 0 although `mcnemar_exact` gives more than 5 %.

    Source: Tango, Statistics in Medicine 17 (1998) 891-908; recommended by Fagerland, Lydersen and Laake,
    Statistics in Medicine 33 (2014) 2850-2875. Raise InvalidInput if the arrays are empty or differ in length.
    """
    wins, losses = _discordant(candidate, champion)
    n = len(candidate)
    difference = (wins - losses) / n
    low = _boundary(wins, losses, n, difference, -1.0, Z_95)
    high = _boundary(wins, losses, n, difference, 1.0, -Z_95)
    return difference, low, high


def _discordant(candidate: Correct, champion: Correct) -> tuple[int, int]:
    if candidate.shape != champion.shape or not candidate.size:
        sizes = f"{candidate.size} and {champion.size}"
        raise InvalidInput(f"candidate and champion must hold one value for each of the same images, not {sizes}.")
    return int((candidate & ~champion).sum()), int((champion & ~candidate).sum())


def _boundary(wins: int, losses: int, n: int, inside: float, outside: float, z: float) -> float:
    """Return the difference between `inside` and `outside` at which the score, which falls as it grows, equals `z`."""
    for _ in range(60):  # halves the bracket to below float precision
        middle = (inside + outside) / 2
        if abs(_score(wins, losses, n, middle)) < abs(z):
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def _score(wins: int, losses: int, n: int, difference: float) -> float:
    """Return Tango's statistic for a true `difference`, which is approximately standard normal."""
    # The likelihood's maximum under this difference has P(champion only) = the root of a quadratic.
    a = 2 * n
    b = (2 * n - wins + losses) * difference - wins - losses
    c = -losses * difference * (1 - difference)
    champion_only = max((sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a), 0.0, -difference)
    variance = n * (2 * champion_only + difference * (1 - difference))
    distance = wins - losses - n * difference
    if variance <= 0:
        return 0.0 if distance == 0 else float("inf") * distance
    return distance / sqrt(variance)
