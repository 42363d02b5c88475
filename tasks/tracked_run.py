"""The MLflow run of one training, replayed from its run directory.

Everything that is logged has a timestamp and a step of its own from the run directory, and MLflow keeps a
metric only once for the same name, step, time and value. So replaying twice, after whatever went wrong in
between, changes nothing.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_models.atomic import write_atomically
from mnist_models.metrics_log import Record, read_records
from tasks.tracking import Tracker


class TrackedRun:
    """The MLflow run of one training, and how far its run directory has been replayed into it.

    `notes` survive in the run directory, one set for each store, so that a later flow goes on where this
    one stops, and another store gets a run of its own.
    """

    def __init__(self, tracker: Tracker, directory: Path) -> None:
        self.tracker, self.directory = tracker, directory
        self._file = directory / "tracking.json"
        self._store = hashlib.sha256(tracker.settings.resolved_tracking_uri.encode()).hexdigest()[:16]
        self.notes: dict[str, Any] = self._all_notes().get(self._store, {})
        self.waiting: list[Record] = []
        self._read_to: int = self.notes.get("replayed_to", 0)
        self._sent_at = time.monotonic()

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
        self.notes, self._read_to, self.waiting = {}, 0, []
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

    def read(self) -> list[Record]:
        """What the training has recorded since the last call; it is kept for `replay`."""
        records, self._read_to = read_records(self.directory / "metrics.jsonl", self._read_to)
        self.waiting += records
        return records

    def replay(self, seconds_between: float = 0.0) -> None:
        """Log what was read, if at least so many seconds have passed since it was last done."""
        if time.monotonic() - self._sent_at < seconds_between:
            return
        self._sent_at = time.monotonic()
        if not self.waiting:
            return
        self.tracker.log(
            self.run_id,
            (
                (name, value, record["time"], record["step"])
                for record in self.waiting
                for name, value in record.items()
                if name not in ("step", "time")
            ),
        )
        self.waiting = []
        self.note(replayed_to=self._read_to)
