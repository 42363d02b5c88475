"""The versions of a data set: what each holds, and what it has changed."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mnist_models.atomic import write_atomically
from mnist_models.data.sets.names import Reference, version_numbers
from mnist_models.data.sets.rows import Row, digest_of, kept, read_rows, write_rows
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import on_screen

Counts = dict[str, int]  # by class


@dataclass(frozen=True)
class Version:
    """What is known of a version without its table."""

    name: str
    number: int
    made: str  # when, in ISO 8601, UTC
    sources: tuple[str, ...]  # what was added, or what was to be removed, as it was given and is shown
    digest: str
    rows: str  # name of the file of the table
    classes: Counts  # images
    parts: Counts  # images by side
    size: int  # of all contents, in bytes
    added: Counts
    removed: Counts
    relabelled: tuple[tuple[str, str, int], ...] = field(default=())  # from, to, how many

    def __str__(self) -> str:
        return f"{self.name}@{self.number}"

    @property
    def images(self) -> int:
        """Return how many images it holds."""
        return sum(self.classes.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Version":
        """Return what `to_json` made values of."""
        lists = {"sources": tuple(values["sources"]), "relabelled": tuple(tuple(each) for each in values["relabelled"])}
        return cls(**values | lists)


def read_version(sets: Path, reference: Reference) -> Version:
    """Return a version; raise InvalidInput if it is not there, or its file is damaged."""
    file = sets / reference.name / "versions" / f"{reference.version}.json"
    try:
        return Version.from_json(json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{on_screen(str(file))} cannot be read ({type(error).__name__})"
        raise InvalidInput(f"data: {reference}: {reason}.") from error


def all_versions(sets: Path, name: str) -> list[Version]:
    """Return all versions of a data set, oldest first."""
    return [read_version(sets, Reference(name, number)) for number in version_numbers(sets, name)]


def rows_of(sets: Path, version: Version) -> list[Row]:
    """Return the table of a version, with the images that were removed; raise InvalidInput if it is damaged."""
    return read_rows(sets / version.name / "rows" / version.rows, str(version), version.digest)


def write_version(folder: Path, number: int, rows: Sequence[Row], before: Sequence[Row], sources: list[str]) -> Version:
    """Write a version of the data set in `folder`, whose contents are there already; `before` are the rows it had.

    Whoever calls this holds the set's lock.
    """
    left = kept(rows)
    changes = _changes(before, rows)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    version = Version(
        *(folder.name, number, made, tuple(sources), digest_of(rows), write_rows(folder / "rows", rows)),
        classes=dict(Counter(row.label for row in left)),
        parts=dict(Counter(str(row.part) for row in left)),
        size=sum(row.size for row in left),
        added=dict(changes[0]),
        removed=dict(changes[1]),
        relabelled=tuple((*labels, count) for labels, count in changes[2].most_common()),
    )
    write_atomically(folder / "versions" / f"{number}.json", json.dumps(version.to_json(), indent=1))
    return version


def _changes(
    before: Sequence[Row], after: Sequence[Row]
) -> tuple[Counter[str], Counter[str], Counter[tuple[str, str]]]:
    """Return how many images of each class were added and removed, and how many have gone from one class to another."""
    old = {row.content: row.label for row in kept(before)}
    new = {row.content: row.label for row in kept(after)}
    added = Counter(label for content, label in new.items() if content not in old)
    removed = Counter(label for content, label in old.items() if content not in new)
    pairs = ((label, new.get(content, label)) for content, label in old.items())
    return added, removed, Counter(pair for pair in pairs if pair[0] != pair[1])
