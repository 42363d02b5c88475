"""One folder at a time serves a project's name on a Prefect server that several projects use.

Otherwise a run that is asked of one of them would be trained in the folder of the other.
"""

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import DeploymentStatus
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings

SECONDS_TO_START = timedelta(seconds=180)  # so long a claim holds without a deployment that is served


@contextmanager
def claimed(settings: Settings) -> Iterator[None]:
    """Hold the project's name for the length of the block; raise InvalidInput if another folder serves it."""
    name, own = _variable(settings.project_name), {"folder": str(settings.home), "machine": platform.node()}
    held: Any = Variable.get(name)
    if isinstance(held, dict) and own.items() - held.items() and _lives(settings, held):
        raise InvalidInput(
            f"project: {settings.project_name} is served already on this Prefect server, by {held.get('folder')} on"
            f" {held.get('machine')}: end `mnist up` there, or give `project` in mlflow.yml another name."
        )
    Variable.set(name, own | {"since": datetime.now(UTC).isoformat()}, overwrite=True)
    try:
        yield
    finally:
        with suppress(Exception):  # a server that is away; the claim lapses by itself
            held = Variable.get(name)
            if isinstance(held, dict) and not own.items() - held.items():
                Variable.unset(name)


def _lives(settings: Settings, held: dict[str, Any]) -> bool:
    """Return whether the holder of a claim serves its deployments, or may be about to."""
    with suppress(ValueError, TypeError):
        if datetime.now(UTC) - datetime.fromisoformat(str(held.get("since"))) < SECONDS_TO_START:
            return True
    with get_client(sync_client=True) as client, suppress(ObjectNotFound):
        deployment = client.read_deployment_by_name(f"train/nightly-{settings.project_name}")
        return deployment.status == DeploymentStatus.READY
    return False


def _variable(project: str) -> str:
    """Return the name of the variable that holds the claim: Prefect allows few characters in it."""
    readable = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-")
    return f"mnist-up-{readable}-{sha256(project.encode()).hexdigest()[:8]}"
