"""Which training of a flow run is the best, and how far repeats of a recipe lie apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import mean, stdev
from typing import NamedTuple


@dataclass(frozen=True)
class Candidate:
    """What the choice depends on: nothing of the test set."""

    status: str  # finished or diverged
    diverges: bool  # whether the recipe is meant to diverge
    validation_accuracy: float  # 0 to 1
    validation_loss: float
    parameters: int


class Spread(NamedTuple):
    """Accuracies of one recipe over its seeds: mean, standard deviation (NaN for one seed), number of seeds."""

    mean: float
    sd: float
    seeds: int


def best(candidates: Mapping[str, Candidate]) -> str | None:
    """Return the name of the candidate with the best validation accuracy, None if no candidate qualifies.

    Equal accuracies are decided by the lower validation loss, then by fewer parameters, then by the order. NaN is
    worse than any number. A training qualifies if it finished and its recipe is not meant to diverge.
    """
    qualified = [name for name, each in candidates.items() if each.status == "finished" and not each.diverges]
    return min(qualified, key=lambda name: _rank(candidates[name]), default=None)


def _rank(candidate: Candidate) -> tuple[float, float, int]:
    accuracy, loss = candidate.validation_accuracy, candidate.validation_loss
    return inf if isnan(accuracy) else -accuracy, inf if isnan(loss) else loss, candidate.parameters


def spread(accuracies: Iterable[tuple[str, float | None]]) -> dict[str, Spread]:
    """Return the spread by recipe, from one pair (recipe, accuracy) a training; None where a training failed."""
    by_recipe: dict[str, list[float]] = {}
    for recipe, accuracy in accuracies:
        if accuracy is not None:
            by_recipe.setdefault(recipe, []).append(accuracy)
    return {
        recipe: Spread(mean(values), stdev(values) if len(values) > 1 else nan, len(values))
        for recipe, values in by_recipe.items()
    }
