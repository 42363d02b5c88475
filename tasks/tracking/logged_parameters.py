"""The parameters that may be logged to MLflow, by name: what is not here never gets there by accident."""

from collections.abc import Iterable

RECIPE = """
    name loss batch_size steps epochs least_steps validations validation_fraction keep continues diverges convolutional
    label_smoothing augmentation augmentation.rotation_degrees augmentation.shift augmentation.zoom
    optimizer.name optimizer.learning_rate optimizer.schedule optimizer.warm_up optimizer.beta_1 optimizer.beta_2
    optimizer.weight_decay
"""
TRAINING = "device threads precision seed"
REQUEST = "suite recipes seeds data machine.device machine.trainers machine.threads machine.precision"

LOGGED = frozenset((RECIPE + TRAINING + " " + REQUEST).split())


def check_logged(names: Iterable[str]) -> None:
    """Raise ValueError for a parameter that is not on the list; it is then added there, or not logged."""
    strange = sorted(set(names) - LOGGED)
    if strange:
        raise ValueError(f"not among the parameters that may be logged (tracking/logged_parameters): {strange}")
