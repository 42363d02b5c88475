"""A registered version, as a user names it."""

from typing import TYPE_CHECKING

from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "PERMISSION_DENIED")


def named_version(tracker: Tracker, given: str) -> "ModelVersion":
    """Return the version of the registered model with this number or alias; raise InvalidInput if there is none."""
    from mlflow.exceptions import MlflowException

    client, model = tracker.client, tracker.settings.registered_model
    number = given.isascii() and given.isdigit()
    try:
        return client.get_model_version(model, given) if number else client.get_model_version_by_alias(model, given)
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise
        kind = "version" if number else "alias"
        raise InvalidInput(
            f"version: {in_title(model)} has no {kind} {in_title(given)!r}; give the number of a version or its alias."
        ) from error
