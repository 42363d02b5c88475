"""Which images a registered version was trained and tested on, as keys of their contents."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from mnist_models.atomic import atomic_path
from mnist_models.data.dataset import Dataset
from mnist_models.data.formats.npz import read_npz
from mnist_models.evaluation.seen_images import ImageKeys
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

FILE = "image_keys.npz"  # an artifact of the run that has trained the version
LARGEST = 2**28  # bytes of both arrays: 32 million images


def log_seen_images(tracker: Tracker, run_id: str, dataset: Dataset) -> None:
    """Note with a run which images its model was trained and tested on."""
    train, test = dataset.keys
    with TemporaryDirectory() as folder:
        with atomic_path(Path(folder) / FILE) as temporary:
            np.savez(temporary, train=train, test=test)
        tracker.log_file(run_id, Path(folder) / FILE)


def seen_images(tracker: Tracker, version: "ModelVersion") -> ImageKeys | None:
    """Return what `log_seen_images` has noted; None if it is not known, as of versions that are older."""
    try:
        with TemporaryDirectory() as folder:
            file = tracker.client.download_artifacts(version.run_id or "", FILE, folder)
            arrays = read_npz(Path(file), ("train", "test"), LARGEST)
            return ImageKeys(*(np.array(arrays[part], np.uint64) for part in ("train", "test")))
    except Exception as error:
        logger.warning("it is not known which images version %s was trained on (%s)", version.version, error)
        return None
