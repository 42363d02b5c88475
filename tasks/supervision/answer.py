"""What the champion says of an image, as a row."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSURE_BELOW = 0.95  # a calibrated probability that is less is a doubt worth telling
TOP = 3  # classes that an answer names

Row = dict[str, Any]
"""An answer or a problem, JSON-able: all keys of EMPTY, and those of the model."""

EMPTY: Row = {
    "label": None,
    "name": None,
    "probability": None,
    "runner_up": None,
    "runner_up_name": None,
    "runner_up_probability": None,
    "top_3": None,
    "problem": None,
    "unsure": None,
    "several_marks": None,
    "probabilities": None,
}


def answer(probabilities: NDArray[np.float32], class_name: Callable[[int], str]) -> Row:
    """Return what probabilities [classes] say, of two classes at least: the keys of EMPTY that they decide."""
    order = [int(each) for each in np.argsort(-probabilities)[:TOP]]
    top = [
        {"label": each, "name": class_name(each), "probability": round(float(probabilities[each]), 4)} for each in order
    ]
    first, second = top[:2]
    return {
        **first,
        "runner_up": second["label"],
        "runner_up_name": second["name"],
        "runner_up_probability": second["probability"],
        "top_3": top,
        "unsure": not float(probabilities[order[0]]) >= UNSURE_BELOW,
        "probabilities": [round(float(each), 4) for each in probabilities],
    }


def doubt(row: Row) -> str:
    """Return in words what is to be doubted of an answer; empty if nothing is."""
    doubts = {"unsure": row["unsure"], "several marks": row["several_marks"]}
    return ", ".join(name for name, holds in doubts.items() if holds)
