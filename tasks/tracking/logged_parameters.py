"""The parameters that may be logged to MLflow, by name: what is not here never gets there by accident."""

from collections.abc import Iterable
from dataclasses import fields

from mnist_models.recipe import DECISIVE, Augmentation, Optimizer

TRAINING = "device threads precision seed"
REQUEST = "suite recipes seeds data pixels machine.device machine.trainers machine.threads machine.precision"
NESTED = (("optimizer", Optimizer), ("augmentation", Augmentation))

LOGGED = frozenset(
    [
        *(DECISIVE - {"network", "optimizer"}),
        *(f"{name}.{each.name}" for name, kind in NESTED for each in fields(kind)),
        *f"{TRAINING} {REQUEST}".split(),
    ]
)


def check_logged(names: Iterable[str]) -> None:
    """Raise ValueError for a parameter that is not on the list; it is then added there, or not logged."""
    strange = sorted(set(names) - LOGGED)
    if strange:
        raise ValueError(f"not among the parameters that may be logged (tracking/logged_parameters): {strange}")
