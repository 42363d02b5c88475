"""Notices new, changed and removed files of recipes, so that Prefect's forms offer what there is now."""

import logging
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from mnist_models import recipes

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 5.0

Look = dict[str, tuple[int, int]]  # size in bytes and time of change in nanoseconds of each file, by its path


def watch_recipes(publish: Sequence[str], end: threading.Event) -> None:
    """Look until `end` is set; give the command `publish` whenever the files have changed and rest.

    A process of its own publishes: this one goes on with the recipes that it has imported.
    """
    published = before = look()
    while not end.wait(SECONDS_BETWEEN):
        now = look()
        if now == before and now != published:
            published = now
            done = subprocess.run(publish, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode == 0:
                print("The recipes have changed, and the forms in Prefect offer them as they are now.", flush=True)
            else:
                reason = (done.stderr.strip().splitlines() or ["no reason is known"])[-1]
                logger.warning("the forms in Prefect offer the recipes as they were: %s", reason)
        before = now


def look() -> Look:
    """Return what there is in the folders of recipes."""
    found: Look = {}
    for folder in recipes.__path__:
        for file in Path(folder).glob("*.py"):
            try:
                status = file.stat()
            except OSError:  # it has just been removed
                continue
            found[str(file)] = (status.st_size, status.st_mtime_ns)
    return found
