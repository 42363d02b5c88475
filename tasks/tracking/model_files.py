"""Whether the files of a registered version are still there."""

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

MODEL_FILE = "MLmodel"  # what MLflow begins with when it loads a model
LEVELS = 3  # from an experiment's artifacts down to those of a model: models/ID/artifacts


def files_are_lost(tracker: Tracker, version: "ModelVersion") -> bool:
    """Return whether a version's model is gone for good; False too if it is only out of reach for now."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import HTTPError

    try:
        uri = tracker.client.get_model_version_download_uri(version.name, version.version)
        names = _names(tracker, uri)
        # A version of ours keeps its weights below `data`, which `register` did not make without them.
        is_whole = MODEL_FILE in names and ("preparation" not in version.tags or bool(_names(tracker, f"{uri}/data")))
        return not is_whole and not _is_out_of_reach(tracker, uri)
    except MlflowException as error:
        return bool(error.error_code == "RESOURCE_DOES_NOT_EXIST")
    except HTTPError as error:
        return error.response is not None and error.response.status_code == 404
    except Exception:  # of the dozen libraries by which MLflow reaches artifacts; none of them says that they are gone
        return False


def lost_files(tracker: Tracker, version: "ModelVersion") -> str:
    """Say that they are lost and what to do, as a sentence without its full stop."""
    uri = tracker.client.get_model_version_download_uri(version.name, version.version)
    return (
        f"{version.name}: the files of version {version.version} are gone from {uri}; put them back, or train: the best"
        " takes its place"
    )


def _names(tracker: Tracker, uri: str) -> set[str]:
    from mlflow.artifacts import list_artifacts

    found = list_artifacts(artifact_uri=uri, tracking_uri=tracker.settings.resolved_tracking_uri)
    return {posixpath.basename(each.path) for each in found}


def _is_out_of_reach(tracker: Tracker, uri: str) -> bool:
    """Whether a folder outside the project is missing as a whole: the disk that it lies on may not be mounted."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        return False  # its server has answered
    folder = Path(unquote(parts.path))
    root = folder.parents[LEVELS - 1] if len(folder.parents) >= LEVELS else folder
    return not root.is_relative_to(tracker.settings.home) and not (root.is_dir() and any(root.iterdir()))
