"""The record of a flow run that is not through yet: one file for each, which says how to make good what is missing."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mnist_models.atomic import write_atomically
from tasks.config.settings import Settings


@dataclass(frozen=True)
class FlowRecord:
    """What is known on this machine of a flow run that has not been cleared away.

    It is named by the id of the Prefect flow run, which is a tag of all its MLflow runs, so that it can be written
    before the first of them exists.
    """

    flow_run_id: str
    store: str  # `Tracker.store_id`
    request: dict[str, Any] = field(default_factory=dict)  # the flow's parameters; `force` is not repeated
    data_digest: str = ""
    ended: str = ""  # the status that its MLflow runs should have; empty while it runs, or if its process has died
    closed: bool = False  # its MLflow runs have that status
    unsent: str = ""  # why MLflow does not have all that was trained

    @property
    def same_request(self) -> str:
        """Return what two flow runs have in common that do the same."""
        return hashlib.sha256(json.dumps([self.request, self.data_digest], sort_keys=True).encode()).hexdigest()


class RecordFile:
    """The record of one flow run on the disk, with a lock that the process of the flow run holds."""

    def __init__(self, settings: Settings, record: FlowRecord) -> None:
        self.record, self._file = record, settings.flows / f"{record.flow_run_id}.json"
        self.lock = FileLock(self._file.with_suffix(".lock"))

    def update(self, **changes: Any) -> None:
        """Change the record, and remove it if nothing is left to do for it."""
        self.record = replace(self.record, **changes)
        if self.record.closed and not self.record.unsent:
            self._file.unlink(missing_ok=True)
            self._file.with_suffix(".lock").unlink(missing_ok=True)
        else:
            write_atomically(self._file, json.dumps(asdict(self.record), indent=2) + "\n")

    @contextmanager
    def locked_if_dead(self) -> Iterator[bool]:
        """Hold the lock unless the process of the flow run lives; give whether it is held."""
        with suppress(Timeout):
            self.lock.acquire(blocking=False)
        try:
            yield self.lock.is_locked
        finally:
            self.lock.release()


def record_files(settings: Settings) -> list[RecordFile]:
    """Return those of all flow runs, living ones included, oldest first; one that was cut is left out."""
    found = []
    for file in sorted(settings.flows.glob("*.json"), key=_written):
        with suppress(OSError, ValueError, TypeError):
            record = FlowRecord(**json.loads(file.read_text()))
            found.append(RecordFile(settings, replace(record, flow_run_id=file.stem)))
    return found


def _written(file: Path) -> int:
    with suppress(FileNotFoundError):  # its flow run has just ended
        return file.stat().st_mtime_ns
    return 0
