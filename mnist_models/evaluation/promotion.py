"""Whether a candidate takes the champion's place: a function of the two models' predictions alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from mnist_models.evaluation.metrics import Labels, Probabilities
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.evaluation.same_problem import other_problem
from mnist_models.evaluation.significance import Correct, mcnemar_exact, paired_difference_interval

OTHERWISE = "give this data a registered model of its own (--model NAME), or say that it may replace it (--replace)"


@dataclass(frozen=True)
class Rules:
    """The thresholds of a decision: accuracies and margin as shares, 0 to 1."""

    accuracy_floor: float = 0.9
    significance_level: float = 0.05
    margin: float = 0.002
    replace: bool = False  # whether a champion that solves another problem may be replaced


@dataclass(frozen=True)
class Decision:
    """Whether to promote, the reason in one sentence, and the numbers behind it."""

    promote: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    contends: bool = True  # whether it could have been promoted, and so is worth a version


def judge(
    candidate: Probabilities,
    champion: Probabilities | None,
    labels: Labels,
    same_data: bool,
    rules: Rules,
    class_names: Sequence[str],
) -> Decision:
    """Return the decision of `decide`, from the probabilities float32 [n, classes] of test images with `labels` [n].

    A candidate with a probability that is not finite is never promoted; in a champion, such a row counts as wrong.
    A champion that solves another problem than the new data poses is no worse for it, and keeps its place.
    """
    if not np.isfinite(candidate).all():
        return Decision(False, "it gives probabilities that are not finite numbers", contends=False)
    champion_correct = None if champion is None else is_correct(champion, labels)
    decision = decide(is_correct(candidate, labels), champion_correct, same_data, rules)
    if champion is None or same_data or rules.replace or not decision.promote:
        return decision
    other = other_problem(champion, labels, rules.significance_level, class_names)
    return decision if other is None else Decision(False, f"{other}; {OTHERWISE}", decision.numbers, contends=False)


def is_correct(probabilities: Probabilities, labels: Labels) -> Correct:
    """Return which predictions are right, bool [n]; those that are not finite are wrong."""
    return np.asarray((predicted(probabilities) == labels) & np.isfinite(probabilities).all(axis=1), np.bool_)


def decide(candidate: Correct, champion: Correct | None, same_data: bool, rules: Rules) -> Decision:
    """Return the decision, from the same n test images for each model: bool [n], True for a correct prediction.

    If both models were trained on the same data, the candidate must be significantly better (McNemar 1947, exact). If
    not, the candidate, which knows the new data, is promoted unless it may be worse by the margin or more
    (non-inferiority, one-sided at 97.5 %). `champion` is None if there is no champion.
    Raise ValueError if the arrays differ in length or are empty.
    """
    if not len(candidate) or (champion is not None and champion.shape != candidate.shape):
        raise ValueError("a decision needs the predictions of both models for the same images")
    accuracy = float(np.mean(candidate))
    numbers = {"candidate_accuracy": accuracy}
    if not accuracy >= rules.accuracy_floor:
        reason = f"its test accuracy of {accuracy:.2%} is below the floor of {rules.accuracy_floor:.2%}"
        return Decision(False, reason, numbers, contends=False)
    if champion is None:
        return Decision(True, f"there was no champion, and {accuracy:.2%} is above the floor", numbers)
    numbers["champion_accuracy"] = float(np.mean(champion))
    difference, low, high = paired_difference_interval(candidate, champion)
    numbers |= {"difference": difference, "difference_low": low, "difference_high": high}
    if not same_data:
        tolerable, loss = low > -rules.margin, f"{rules.margin * 100:.2f} points"
        end = f"at most {loss} may be lost" if tolerable else f"a loss of {loss} or more is not ruled out"
        reason = (
            f"on the new data's test images its difference to the champion is {difference * 100:+.2f} points"
            f" (95 % interval from {low * 100:+.2f}), and {end}"
        )
        return Decision(tolerable, reason, numbers)
    test = mcnemar_exact(candidate, champion)
    numbers |= asdict(test)
    evidence = (
        f"on the same {len(candidate):,} test images ({test.wins} only it has right, {test.losses} only the champion;"
        f" exact McNemar p = {test.p_value:.2g}"
    )
    level = rules.significance_level
    if test.wins > test.losses and test.p_value < level:
        return Decision(True, f"it is better by {difference * 100:.2f} points {evidence} < {level:g})", numbers)
    reason = f"it is not significantly better than the champion {evidence}, {level:g} is needed)"
    return Decision(False, reason, numbers)
