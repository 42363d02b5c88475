"""Notices new data in the watched folder, and says so by an event; a trigger of Prefect's does the rest."""

import json
import logging
import threading
from pathlib import Path

from mnist_models.atomic import write_atomically
from mnist_models.data.loader import prepare_data
from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings
from tasks.servers.notifications import NEW_DATA, notify

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 10.0

Look = tuple[tuple[str, int, int], ...]  # name, size in bytes, and time of change in nanoseconds of each file


class Watcher:
    """Looks at the folder again and again. Data that is still being copied is left alone until it rests."""

    def __init__(self, settings: Settings) -> None:
        self._data, self._folder = settings.data, settings.watched
        self._memory = settings.state / "watched.json"
        self._before: Look = ()
        self._judged: Look = ()

    def run(self, end: threading.Event) -> None:
        """Look until `end` is set."""
        while not end.wait(SECONDS_BETWEEN):
            try:
                self.look()
            except Exception as error:  # a folder on a lost network drive, a server that restarts
                logger.warning("%s cannot be watched for now: %s", self._folder, error)

    def look(self) -> None:
        """If the folder rests and holds other data than it did, tell; of what cannot be used, warn once."""
        now = self._files()
        rests, self._before = now == self._before, now
        if not now or not rests or now == self._judged:
            return
        source, folder = str(self.source()), self._folder
        try:
            digest = prepare_data(source, self._data, logger.info).dataset.digest
        except InvalidInput as error:
            logger.warning("new data is not trained on: %s", error)
        else:
            if digest != self._remembered():
                notify(NEW_DATA, f"mnist.data.{folder.name}", f"New data in {folder}", path=source, digest=digest)
                write_atomically(self._memory, json.dumps({"digest": digest}))
        self._judged = now

    def source(self) -> Path:
        """What to train on: the newest .npz file in the folder, or else the folder itself, with its IDX files."""
        archives = sorted(self._folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
        return archives[-1] if archives else self._folder

    def _files(self) -> Look:
        if not self._folder.is_dir():
            return ()
        found = ((file.name, file.stat()) for file in sorted(self._folder.iterdir()) if file.is_file())
        return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)

    def _remembered(self) -> str:
        try:
            return str(json.loads(self._memory.read_text())["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
