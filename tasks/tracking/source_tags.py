"""Tags that tell which code and data an MLflow run comes from; those of the code as MLflow and its UI know them."""

import subprocess
from contextlib import suppress
from functools import cache
from getpass import getuser
from hashlib import sha256
from pathlib import Path

from mnist_models import __version__
from mnist_models.data.dataset import Dataset

SOURCE = Path(__file__).resolve().parents[2]


@cache
def source_tags() -> dict[str, str]:
    """Return who runs which code: user, version, commit and lock file, as far as they can be told."""
    tags = {"mlflow.source.name": "mnist train", "mlflow.source.type": "LOCAL", "version": __version__}
    with suppress(OSError, KeyError):  # a container's user may have no name
        tags["mlflow.user"] = getuser()
    git = ["git", "-C", str(SOURCE), "rev-parse", "HEAD"]
    with suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(git, capture_output=True, text=True, check=True, timeout=10)
        tags["mlflow.source.git.commit"] = answer.stdout.strip()
    lock = SOURCE / "requirements.lock"
    if lock.is_file():
        tags["lock_digest"] = sha256(lock.read_bytes()).hexdigest()
    return tags


def data_tags(dataset: Dataset) -> dict[str, str]:
    """Return which data were used, and of a named data set its name, its version and the digest of that."""
    tags = {"data": dataset.name, "data_digest": dataset.digest}
    name, _, version = dataset.facts.version.rpartition("@")
    if not name:
        return tags
    return {**tags, "data_set": name, "data_version": version, "data_version_digest": dataset.facts.version_digest}
