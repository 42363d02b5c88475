"""The process that draws, seen from the flow: drawing takes more memory than all the rest of a flow."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnist_models.data.arrays import facts_to_json
from mnist_models.data.loader import PreparedData
from mnist_models.data.report.files import SHEETS
from mnist_models.processes.worker import ProcessDied, WorkerProcess


@dataclass(frozen=True)
class Compared:
    """A training to compare."""

    name: str
    directory: Path
    status: str  # "finished", "diverged", or "best"
    study: str | None  # trainings with the same study also get a figure of their own


class _DrawingProcess(WorkerProcess):
    module, title = "mnist_models.figures", "drawing"


class Renderer:
    """Draws in a process of its own, which starts at once. Any thread may call it; one job is drawn at a time.

    Each method raises ProcessDied or JobFailed, see `WorkerProcess.do`; the next job gets a new process.
    """

    def __init__(self, logs: Path) -> None:
        self._log = logs / "drawing.log"
        self._lock = threading.Lock()
        self._process, self._closed = _DrawingProcess({}, self._log), False

    def training(self, directory: Path, recipe: str, data: Path, folder: Path) -> list[Path]:
        """Draw the figures of a finished training into `folder`, and return the PNG files."""
        return self._draw(folder, directory=str(directory), recipe=recipe, data=str(data))

    def comparison(self, compared: Sequence[Compared], data: Path, folder: Path) -> list[Path]:
        """Draw the figures of a comparison into `folder`, and return the PNG files."""
        return self._draw(folder, compared=[asdict(training) for training in compared], data=str(data))

    def data_report(self, data: PreparedData, command: str, folder: Path, most_sheets: int) -> list[Path]:
        """Write the report on data, which the `command` trains on, into `folder`; return the PNG files of classes."""
        dataset = data.dataset
        told = {"name": dataset.name, "source": dataset.source, "facts": facts_to_json(dataset.facts)}
        self._draw(folder, data=str(data.folder), command=command, most_sheets=most_sheets, **told)
        return sorted((folder / SHEETS).glob("*.png"))

    def _draw(self, folder: Path, **job: Any) -> list[Path]:
        with self._lock:
            if self._closed:
                raise ProcessDied("nothing is drawn any more")
            if not self._process.alive:
                self._process.stop()
                self._process = _DrawingProcess({}, self._log)
            self._process.do(json.dumps(job | {"folder": str(folder)}, default=str) + "\n")
        return sorted(folder.glob("*.png"))

    def close(self) -> None:
        """End the process."""
        self._closed = True
        self._process.stop()
