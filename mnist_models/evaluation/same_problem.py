"""Whether a model answers the question that new labels ask, or another one."""

from collections.abc import Sequence

import numpy as np

from mnist_models.class_titles import LONGEST
from mnist_models.evaluation.metrics import Labels, Probabilities
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.evaluation.significance import mcnemar_exact
from mnist_models.shown_text import shortened

LEAST_GAIN = 0.1  # of accuracy, by giving each of the model's classes another name
CERTAIN = 0.001  # significance of that gain; the best of all ways to name classes is always a little better
EXAMPLES = 3  # classes that a sentence names


def other_names(known: Sequence[str], class_names: Sequence[str]) -> str | None:
    """Say how the classes that a model knows differ from as many others; None if they have the same names and order."""
    places = [place for place, (old, new) in enumerate(zip(known, class_names, strict=True)) if old != new]
    if not places:
        return None
    more = " …" if len(places) > EXAMPLES else ""
    olds, news = (
        ", ".join(shortened(names[place], LONGEST) for place in places[:EXAMPLES]) + more
        for names in (known, class_names)
    )
    order = " in another order:" if sorted(known) == sorted(class_names) else ""
    return f"classes{order} {olds}, here {news}"


def other_problem(model: Probabilities, labels: Labels, level: float, class_names: Sequence[str]) -> str | None:
    """Say why a model solves another problem than images with these labels pose; None if there is no sign of it.

    There are two signs. The model is not better than naming the most frequent class for every image (one-sided exact
    binomial test at `level`). Or its answers fit much better if each of its classes gets the name of another: then
    the labels mean other things.

    Args:
        model: its probabilities for the images, float32 [n, classes]; if some are not finite, nothing is said.
        labels: [n], 0 to classes - 1.
        level: a share, 0 to 1.
        class_names: [classes].
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import binomtest

    if not np.isfinite(model).all():
        return None
    answers = predicted(model)
    right, count = int((answers == labels).sum()), len(labels)
    chance = float(np.bincount(labels).max()) / count
    score = f"{right / count:.2%} of the new data's test images"
    says = f"the champion, which is right on {score}, solves another problem"
    if chance < 1 and binomtest(right, count, chance, alternative="greater").pvalue >= level:
        return f"{says}: naming the most frequent class each time gives {chance:.2%}"
    table = np.zeros((model.shape[1],) * 2, np.int64)
    np.add.at(table, (answers, labels), 1)
    _, renamed = linear_sum_assignment(table, maximize=True)
    fits = renamed[answers] == labels
    gain = float(fits.mean()) - right / count
    if gain >= LEAST_GAIN and mcnemar_exact(fits, answers == labels).p_value < CERTAIN:
        names = [shortened(name, LONGEST) for name in class_names]
        moved = [f"{names[old]} to {names[new]}" for old, new in enumerate(renamed) if old != new and table[old, new]]
        some = ", ".join(moved[:EXAMPLES]) + (" …" if len(moved) > EXAMPLES else "")
        return f"{says}: it would be right on {fits.mean():.2%} with its classes renamed: {some}"
    return None
