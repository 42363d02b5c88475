"""The append-only log of everything that a training measures: one JSON record a line."""

import json
import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Record = dict[str, Any]
"""{"step": int, "time": Unix milliseconds, metric name: float, …}"""

KEYS = {"step", "time"}

History = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
"""Metric name → (steps [m], values [m]); values may be NaN or infinite."""

PORTION_BYTES = 65_536
LATEST_BYTES = 8_192


class MetricsLog:
    """Appends records, and never the same metric of the same step twice.

    A training that was killed resumes at a checkpoint that may lie before the end of its log. It computes
    the same values again, and what is already written is left out. A last line that was cut is removed.
    """

    def __init__(self, path: Path) -> None:
        records, end = read_records(path)
        self._last_step = _last_steps(records)
        self._file = path.open("ab")
        self._file.truncate(end)

    def append(self, records: Iterable[Record]) -> None:
        """Write what is not there yet; a reader sees it at once."""
        new = [record for record in map(self._unwritten, records) if len(record) > 2]
        self._file.write(b"".join(json.dumps(record).encode() + b"\n" for record in new))
        self._file.flush()
        self._last_step |= _last_steps(new)

    def flush(self) -> None:
        """Bring the log to the disk, as must happen before a checkpoint relies on it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def _unwritten(self, record: Record) -> Record:
        step, written = record["step"], self._last_step
        return {key: value for key, value in record.items() if key in KEYS or step > written.get(key, -1)}


def _last_steps(records: list[Record]) -> dict[str, int]:
    return {key: record["step"] for record in records for key in record}


def read_records(path: Path, start: int = 0, max_bytes: int = -1) -> tuple[list[Record], int]:
    """Return the whole records from byte `start` on, and the byte after the last of them.

    A line without its end is not read: it is being written, or was cut by a kill. No more are read once `max_bytes`
    bytes are, if it is given.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            lines = file.readlines(max_bytes)
    except FileNotFoundError:
        return [], start
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    return [record for line in lines if (record := _parse(line))], start + sum(map(len, lines))


class LatestRecords:
    """Follows a log that grows, of which only the latest records are of interest."""

    def __init__(self, path: Path) -> None:
        self._path, self._read_to = path, 0
        self.read()

    def read(self) -> list[Record]:
        """Return the latest of what was appended since the last call."""
        size = self._path.stat().st_size if self._path.exists() else 0
        records, self._read_to = read_records(self._path, max(self._read_to, size - LATEST_BYTES))
        return records


def iterate_records(path: Path) -> Iterator[Record]:
    """Yield all whole records, of which only a portion at a time is held."""
    start, end = -1, 0
    while end > start:
        start = end
        records, end = read_records(path, start, PORTION_BYTES)
        yield from records


def _parse(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.keys() >= KEYS else None


def to_history(records: Iterable[Record]) -> History:
    """Return records as one series per metric."""
    series: dict[str, tuple[array[int], array[float]]] = {}
    for record in records:
        for name, value in record.items():
            if name not in KEYS:
                steps, values = series.setdefault(name, (array("q"), array("d")))
                steps.append(record["step"])
                values.append(value)
    return {name: (np.array(steps, np.int64), np.array(values, float)) for name, (steps, values) in series.items()}
