"""Notices new data in the watched folder, and says so by an event; a trigger of Prefect's does the rest."""

import hashlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from mnist_models.atomic import write_atomically
from mnist_models.data.loader import add_to_set, prepare_data
from mnist_models.data.sets.add import Addition
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import on_screen
from tasks.config.settings import Settings
from tasks.servers.notifications import NEW_DATA, notify

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 10.0

Look = tuple[tuple[str, int, int], ...]  # name, size in bytes, and time of change in nanoseconds of each file


def folder_resource(settings: Settings) -> str:
    """Return what the watched folder is called in events."""
    return f"mnist.data.{settings.project_name}.{settings.watched.name}"


class Watcher:
    """Looks at the folder again and again. Data that is still being copied is left alone until it rests."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._folder, self._resource = settings, settings.watched, folder_resource(settings)
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
        """If the folder rests and holds other data than it did, tell, once.

        Of what cannot be used too: the run that this starts refuses it with the reason, so that somebody hears of it.
        """
        now = self._files()
        rests, self._before = now == self._before, now
        if not now or not rests or now == self._judged:
            return
        source, memory = str(self.source()), self._remembered()
        try:
            if self._settings.watch_set:
                source, known = self._grown()
            else:
                known = {"digest": self._digest(source)}
            text = f"New data in {self._folder}"
        except InvalidInput as error:
            logger.warning("new data cannot be trained on: %s", error)
            known = {"refused": hashlib.sha256(json.dumps([source, now]).encode()).hexdigest()}
            text = f"Data in {self._folder} that cannot be used"
        if not known.items() <= memory.items():
            notify(NEW_DATA, self._resource, text, path=source, digest=known.get("digest", ""))
            write_atomically(self._memory, json.dumps(memory | known))
        self._judged = now

    def _digest(self, source: str) -> str:
        settings = self._settings
        return prepare_data(source, settings.data, logger.info, settings.data_options).dataset.digest

    def _grown(self) -> tuple[str, dict[str, str]]:
        """Add what is new to the named data set; return its version, and what to remember of it.

        The newest version that came from here counts as news until it is told of: we may have ended before that.
        """
        settings, folder = self._settings, str(self._folder)
        addition = Addition(settings.watch_set, (folder,), settings.data_options, watched=True)
        added = add_to_set(settings.named_sets, addition, logger.info)
        for note in added.notes:
            logger.info("of the data in %s, %s", self._folder, note)
        version, came_from_here = added.version, on_screen(folder) in added.version.sources
        return str(version), {"digest": version.digest, "version": str(version)} if came_from_here else {}

    def source(self) -> Path:
        """What to train on: the newest .npz file in the folder, or else the folder itself, with its IDX files."""
        archives = sorted(self._folder.glob("[!.]*.npz"), key=lambda file: file.stat().st_mtime_ns)
        return archives[-1] if archives else self._folder

    def _files(self) -> Look:
        """What is there; hidden files are left out, because desktops leave theirs everywhere."""
        if not self._folder.is_dir():
            return ()
        found: list[tuple[str, os.stat_result]] = []
        for place, folders, files in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            paths = [Path(place, name) for name in files if not name.startswith(".")]
            found += [(str(path.relative_to(self._folder)), path.stat()) for path in paths if path.is_file()]
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))

    def _remembered(self) -> dict[str, Any]:
        """The digest of the data that was told of last, and what was refused last."""
        try:
            content = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
