"""The files of a report in a folder."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mnist_models.data.report.report import DataReport

PAGE, MARKDOWN, VALUES, SHEETS = "report.html", "report.md", "report.json", "classes"
LONGEST_NAME = 40  # characters of a class in the name of a file


def sheet_names(report: DataReport) -> list[str]:
    """Return the names of the contact sheets' files: the number of the class, and what of its name any disk takes."""
    digits = len(str(len(report.classes) - 1))
    plain = [re.sub(r"[^A-Za-z0-9]+", "-", each.name).strip("-")[:LONGEST_NAME] for each in report.classes]
    numbers = [f"{number:0{digits}}" for number in range(len(plain))]
    return [
        f"{number}.png" if name in ("", number) else f"{number}-{name}.png"
        for number, name in zip(numbers, plain, strict=True)
    ]


def remove_sheets(folder: Path, kept: Sequence[str]) -> None:
    """Remove the contact sheets of another report that was written there; nothing else is touched."""
    if (written := _read(folder)) is not None:
        (folder / VALUES).unlink(missing_ok=True)
        for name in set(sheet_names(written)) - set(kept):
            (folder / SHEETS / name).unlink(missing_ok=True)


def _read(folder: Path) -> DataReport | None:
    try:
        return DataReport.from_json(json.loads((folder / VALUES).read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def written_report(quick: DataReport, folder: Path) -> DataReport | None:
    """Return what was written into `folder` of just these data; `quick` is what can be told of them at once."""
    if (written := _read(folder)) is None:
        return None
    same = replace(written, near=None, warnings=written.warnings[: len(quick.warnings)]) == quick
    return written if same else None
