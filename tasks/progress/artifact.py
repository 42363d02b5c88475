"""Progress in Prefect's dashboard."""

import logging
import re
import time
from contextvars import copy_context
from uuid import UUID

logger = logging.getLogger(__name__)

ARTIFACT_SECONDS = 5.0  # between the first updates of an artifact; they double, up to half of a minute
LONGEST_ARTIFACT_PAUSE = 30.0


class ProgressArtifact:
    """An artifact of the task run that makes this object; any thread may set it."""

    def __init__(self, label: str) -> None:
        self._label, self._task_run = label, copy_context()
        self._id: UUID | None = None
        self._next, self._pause = 0.0, ARTIFACT_SECONDS
        self._failing = False

    def update(self, share: float, text: str, last: bool = False) -> None:
        """Set it, after a pause unless it is the last time: each takes the server some 20 ms. Nothing is raised."""
        if not last and time.monotonic() < self._next:
            return
        self._next, self._pause = time.monotonic() + self._pause, min(2 * self._pause, LONGEST_ARTIFACT_PAUSE)
        try:
            self._task_run.run(self._set, share, f"{self._label}: {text}")
            self._failing = False
        except Exception as error:
            if not self._failing:
                logger.warning("%s: Prefect takes no records for now, which costs none: %s", self._label, error)
            self._failing = True

    def _set(self, share: float, description: str) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        if self._id is None:
            key = re.sub("[^a-z0-9]+", "-", f"progress {self._label}").strip("-")
            created = create_progress_artifact(100 * share, key=key, description=description)
            self._id = UUID(str(created))
        else:
            update_progress_artifact(self._id, 100 * share, description=description)
