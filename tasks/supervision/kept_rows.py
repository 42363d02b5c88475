"""Answers that outlive the run that gives them: a run that was killed is gone on with where it stopped."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title
from tasks.supervision.answer import Row

ENDING = ".part"  # after the name of the file that it will become
FORMAT = "rows of mnist predict"


@contextmanager
def kept_rows(output: Path, by: dict[str, Any]) -> Iterator["KeptRows"]:
    """Give the rows that an earlier run has left beside `output`, if the same was asked `by` it; there are none then.

    They are kept until the block ends without an error. Raise InvalidInput if another run writes them at this moment,
    or a file of somebody else has their name.
    """
    path = output.with_name(output.name + ENDING)
    try:
        file = path.open("a+b")
    except OSError as error:
        raise InvalidInput(f"output: {in_title(str(path))} cannot be written: {error.strerror}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system takes it away from whoever dies
        except BlockingIOError:
            shown = in_title(str(output))
            raise InvalidInput(f"output: {shown} is being written by another run; wait for its end.") from None
        except OSError:
            pass  # a file system of a network without locks
        yield KeptRows(file, {"format": FORMAT, **by}, in_title(str(path)))
        path.unlink(missing_ok=True)


class KeptRows:
    """Rows by the key of what they are about, in a file to which they are appended; few are held in memory.

    The file has a JSON object a line: first who answers, then each row with its key.
    """

    def __init__(self, file: IO[bytes], header: dict[str, Any], name: str) -> None:
        self._file, self._places = file, dict[str, int]()
        file.seek(0)
        first = file.readline()
        found = _object(first)
        if first and found.get("format") != FORMAT:
            raise InvalidInput(f"output: {name} is in the way, a file of something else; move it, or name another.")
        if found == json.loads(json.dumps(header)):
            self._read()
        else:
            file.truncate(0)
            self._append(header)

    def _read(self) -> None:
        """Note where the rows begin; what a kill has left of the last line is cut off."""
        place = self._file.tell()
        for line in iter(self._file.readline, b""):
            entry = _object(line)
            if not line.endswith(b"\n") or not isinstance(entry.get("row"), dict):
                self._file.truncate(place)
                return
            if not entry["row"].get("problem"):  # which may be gone
                self._places[entry["key"]] = place
            place += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Row:
        self._file.seek(self._places[key])
        row: Row = json.loads(self._file.readline())["row"]
        return row

    def add(self, key: str, row: Row) -> None:
        """Keep a row; one with the same key is forgotten."""
        self._places[key] = self._append({"key": key, "row": row})

    def _append(self, entry: dict[str, Any]) -> int:
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()  # to the system: it outlives this process
        return place


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
