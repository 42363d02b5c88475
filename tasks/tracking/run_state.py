"""What is known on the disk of the MLflow run of one training: the one place that reads and writes it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_models.atomic import write_atomically


@dataclass(frozen=True)
class RunState:
    """How far the MLflow run of a training has come."""

    run_id: str = ""  # empty: there is none yet
    described: bool = False  # it has its parameters and its data set
    replayed_to: int = 0  # bytes of the metrics log that it holds
    samples: int = 0  # of the machine's load that it holds
    model_id: str = ""  # of its logged model
    evaluated: bool = False  # it has its test metrics and figures
    closed: bool = False  # it has all, and its final status


class RunStateFile:
    """The file `tracking.json` of a run directory: a state for each MLflow store, so that each has its own run."""

    def __init__(self, directory: Path, *stores: str) -> None:
        """Take what the store is called, and what it was called in older notes."""
        self._file, self._stores = directory / "tracking.json", stores

    def read(self) -> RunState:
        """Return the state; an empty one where none is known."""
        known = {each.name for each in dataclasses.fields(RunState)}
        states = self._all()
        found: dict[str, Any] = next((states[store] for store in self._stores if store in states), {})
        return RunState(**{key: value for key, value in found.items() if key in known})

    def write(self, state: RunState) -> None:
        """Replace the state."""
        content = self._all() | {self._stores[0]: dataclasses.asdict(state)}
        write_atomically(self._file, json.dumps(content))

    def _all(self) -> dict[str, Any]:
        try:
            content = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
