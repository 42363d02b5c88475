"""The names of the classes that a version knows, as a tag of it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

TAG = "class_names"
LONGEST_TAG = 100_000  # characters, which MLflow allows; a thousand names of 60 are fewer


def class_names_tag(class_names: Sequence[str]) -> dict[str, str]:
    """Return the tag with the names as a JSON list; no tag if MLflow would refuse it: the model's files have them."""
    text = json.dumps(class_names, ensure_ascii=False)
    return {TAG: text} if len(text) <= LONGEST_TAG else {}


def class_names_of(version: "ModelVersion") -> tuple[str, ...] | None:
    """Return the names that a version's tag says; None if there is none, or somebody has written something else."""
    try:
        names = json.loads(version.tags.get(TAG, ""))
    except ValueError:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)
