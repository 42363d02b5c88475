"""The weights of a registered version, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

from mnist_models.errors import InvalidInput
from tasks.tracking.model_files import files_are_lost, lost_files
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

WEIGHTS = "data/model.keras"


def downloaded_weights(tracker: Tracker, version: "ModelVersion", folder: Path) -> Path:
    """Return a version's `.keras` file, put into a folder; raise InvalidInput if its files are lost."""
    from mlflow.artifacts import download_artifacts

    try:
        # The rest would take more requests, and a bar on the screen.
        weights = download_artifacts(
            artifact_uri=f"models:/{version.name}/{version.version}/{WEIGHTS}",
            dst_path=str(folder / "model"),
            tracking_uri=tracker.settings.resolved_tracking_uri,
        )
    except Exception as error:
        if files_are_lost(tracker, version):
            raise InvalidInput(f"{lost_files(tracker, version)}.") from error
        raise
    return Path(weights)
