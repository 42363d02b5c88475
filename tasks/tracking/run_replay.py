"""The MLflow run of one training, replayed from its run directory.

Everything that is logged has a timestamp and a step of its own from the run directory, and MLflow keeps a
metric only once for the same name, step, time and value. So replaying twice, after whatever went wrong in
between, changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnist_models.atomic import flush
from mnist_models.training_run.metrics_log import read_records
from tasks.tracking.run_state import RunState, RunStateFile
from tasks.tracking.tracker import Tracker

PORTION_BYTES = 50_000


class RunReplay:
    """The MLflow run of one training, and how far its run directory has been replayed into it.

    The state survives in the run directory, so that a later flow run goes on where this one stops.
    """

    def __init__(self, tracker: Tracker, directory: Path) -> None:
        self.tracker, self._metrics = tracker, directory / "metrics.jsonl"
        self._file = RunStateFile(directory, *tracker.store_ids)
        self.state = self._file.read()

    @property
    def run_id(self) -> str:
        """The MLflow run's id; empty before `open`."""
        return self.state.run_id

    def open(self, name: str, tags: Mapping[str, str], parent: str) -> bool:
        """Go on in the run that this training has in the store, or create one; return whether it is new."""
        if self.run_id and (status := self.tracker.run_status(self.run_id)):
            if self.state.closed and status == "RUNNING":  # an older copy of the store was put back: all is sent again
                self.state = RunState(run_id=self.run_id)
            if not self.state.closed:  # it goes on under this flow run
                self.tracker.log(self.run_id, tags={**tags, "mlflow.parentRunId": parent})
                self.note(evaluated=False)  # its description and its tag `status` are logged again
            return False
        self.state = RunState()
        self.note(run_id=self.tracker.start_run(name, tags, parent))
        return True

    def note(self, **changes: Any) -> None:
        """Change the state, also on the disk."""
        self.state = replace(self.state, **changes)
        self._file.write(self.state)

    def replay(self) -> bool:
        """Log the next records, as many as fit into one request or two; return False if there are none."""
        start = self.state.replayed_to
        records, read_to = read_records(self._metrics, start, PORTION_BYTES)
        if read_to == start:
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
        flush(self._metrics)  # or a power cut could leave the log shorter than what is noted
        self.note(replayed_to=read_to)
        return True
