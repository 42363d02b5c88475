"""The MLflow run of one training, replayed from its run directory.

Everything that is logged has a timestamp and a step of its own from the run directory, and MLflow keeps a
metric only once for the same name, step, time and value. So replaying twice, after whatever went wrong in
between, changes nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_models.atomic import flush, write_atomically
from mnist_models.training_run.metrics_log import read_records
from tasks.tracking.tracker import Tracker

PORTION_BYTES = 50_000


class TrackedRun:
    """The MLflow run of one training, and how far its run directory has been replayed into it.

    `notes` survive in the run directory, one set for each store, so that a later flow goes on where this
    one stops, and another store gets a run of its own.
    """

    def __init__(self, tracker: Tracker, directory: Path) -> None:
        self.tracker, self.directory = tracker, directory
        self._file = directory / "tracking.json"
        self._store = tracker.store_id
        self.notes: dict[str, Any] = self._all_notes().get(self._store, {})

    @property
    def run_id(self) -> str:
        """The MLflow run's id, after `open`."""
        return str(self.notes["run_id"])

    def open(self, name: str, tags: Mapping[str, str], parent: str) -> bool:
        """Go on in the run that this training has in the store, or create one; True if it is new."""
        if "run_id" in self.notes and self.tracker.run_exists(self.run_id):
            if "closed" not in self.notes:  # it goes on under this flow run
                self.tracker.log(self.run_id, tags={**tags, "mlflow.parentRunId": parent})
            return False
        self.notes = {}
        self.note(run_id=self.tracker.start_run(name, tags, parent))
        return True

    def note(self, **values: Any) -> None:
        """Remember."""
        self.notes |= values
        write_atomically(self._file, json.dumps(self._all_notes() | {self._store: self.notes}))

    def _all_notes(self) -> dict[str, Any]:
        try:
            notes = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def replay(self) -> bool:
        """Log the next records, as many as fit into one request or two; False if there are none."""
        replayed_to: int = self.notes.get("replayed_to", 0)
        records, read_to = read_records(self.directory / "metrics.jsonl", replayed_to, PORTION_BYTES)
        if read_to == replayed_to:
            return False
        self.tracker.log(
            self.run_id,
            (
                (name, value, record["time"], record["step"])
                for record in records
                for name, value in record.items()
                if name not in ("step", "time")
            ),
        )
        flush(self.directory / "metrics.jsonl")  # or a power cut could leave the log shorter than what is noted
        self.note(replayed_to=read_to)
        return True
