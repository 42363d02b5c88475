"""Rows as files that others read: a table in CSV, or a JSON object a line."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mnist_models.atomic import atomic_path
from tasks.supervision.answer import Row

LINES = ".jsonl"  # the ending of a file with a JSON object a line; files of other endings are CSV

COLUMNS = (
    *("file", "label", "name", "probability", "runner_up", "runner_up_name", "runner_up_probability"),
    *("third", "third_name", "third_probability", "problem", "unsure", "several_marks"),
)


def as_columns(row: Row) -> dict[str, Any]:
    """Return the value of each of COLUMNS; None where a row has none."""
    third = (row["top_3"] or [])[2:]
    of_third = {"third": third[0]["label"], "third_name": third[0]["name"]} if third else {}
    if third:
        of_third["third_probability"] = third[0]["probability"]
    return {column: (row | of_third).get(column) for column in COLUMNS}


def write_rows(output: Path, rows: Iterable[Row]) -> None:
    """Write rows as the ending of `output` says, one at a time; it is seen when it is whole."""
    with atomic_path(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        if output.suffix.lower() == LINES:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(as_columns, rows))


class LinesFile:
    """The rows of a file with a JSON object a line, read anew each time that they are gone through."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __iter__(self) -> Iterator[Row]:
        with self._file.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
