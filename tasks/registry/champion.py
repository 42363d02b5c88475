"""The registered version that serves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.registry.class_names import class_names_of
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.exceptions import MlflowException


@dataclass(frozen=True)
class Champion:
    """The version that serves."""

    name: str  # of the registered model
    version: str
    recipe: str
    mlflow_run_id: str
    test_accuracy: float | None  # None for a version that something else has registered
    data: str  # on whose test images that was measured; empty if it is not known
    class_names: list[str]  # empty if they are not known


def champion_version(tracker: Tracker) -> "ModelVersion | None":
    """Return the registered version under the champion's alias."""
    from mlflow.exceptions import MlflowException

    settings = tracker.settings
    try:
        return tracker.client.get_model_version_by_alias(settings.registered_model, settings.alias)
    except MlflowException as error:
        if error.error_code == "INVALID_PARAMETER_VALUE" or is_missing(
            tracker.client, settings.registered_model, error
        ):
            return None
        raise


def is_missing(client: "MlflowClient", name: str, error: "MlflowException") -> bool:
    """Return whether what was asked about a registered model fails because there is none of that name.

    A server that asks for passwords says that this is not permitted, instead.
    """
    if error.error_code == "PERMISSION_DENIED":
        return not client.search_registered_models(f"name='{name}'")
    return bool(error.error_code == "RESOURCE_DOES_NOT_EXIST")


def champion(tracker: Tracker) -> Champion | None:
    """Return who serves now."""
    version = champion_version(tracker)
    if version is None:
        return None
    return Champion(
        name=version.name,
        version=str(version.version),
        recipe=version.tags.get("recipe", "unknown"),
        mlflow_run_id=version.run_id or "",
        test_accuracy=float(version.tags["test_accuracy"]) if "test_accuracy" in version.tags else None,
        data=version.tags.get("data", ""),
        class_names=[*(class_names_of(version) or ())],
    )
