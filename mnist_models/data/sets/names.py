"""How a named data set and its versions are called: NAME, NAME@3, NAME@latest."""

import re
from pathlib import Path
from typing import NamedTuple, NoReturn

from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title

LATEST = "latest"
MOST_LISTED = 10

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_REFERENCE = re.compile(rf"({_NAME})(?:@([0-9]{{1,9}}|{LATEST}))?")


class Reference(NamedTuple):
    """One version of a named data set."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def checked_set_name(name: str) -> str:
    """Return the name; raise InvalidInput if no data set can be called so."""
    if not re.fullmatch(_NAME, name):
        raise InvalidInput(
            f"name: {in_title(name)!r} is not allowed; give 1 to 100 letters, digits, dots, hyphens and underscores, of"
            " which the first is a letter or a digit."
        )
    return name


def version_numbers(sets: Path, name: str) -> list[int]:
    """Return the versions of a data set, oldest first; none if there is no such data set."""
    return sorted(int(file.stem) for file in (sets / name / "versions").glob("*.json") if file.stem.isdecimal())


def set_names(sets: Path) -> list[str]:
    """Return the names of all data sets."""
    found = sorted(each.name for each in sets.iterdir()) if sets.is_dir() else []
    return [name for name in found if re.fullmatch(_NAME, name) and version_numbers(sets, name)]


def pinned(given: str, sets: Path) -> str:
    """Return what a user calls data as NAME@3 if it is a named data set, and unchanged if it is a path.

    NAME is the newest version. A path is meant where there is one and no data set is called so. Raise InvalidInput if
    both are there, the version is not, or neither is.
    """
    reference = named_version(given, sets)
    return str(reference) if reference else given


def named_version(given: str, sets: Path) -> Reference | None:
    """Return the version that is meant; None for a path, and for an empty text. Raise InvalidInput as `pinned`."""
    found = _REFERENCE.fullmatch(given)
    if found is None:
        return None
    name, wanted = found.groups()
    numbers, is_path = version_numbers(sets, name), Path(given).exists()
    if not numbers:
        if not is_path and (others := set_names(sets)):
            _refuse_unknown(given, others)
        return None
    if wanted is None and is_path:
        raise InvalidInput(
            f"data: {name} is a data set and also a path in this folder; write {name}@{LATEST} for the data set, or"
            f" ./{name} for the path."
        )
    if wanted in (None, LATEST):
        return Reference(name, numbers[-1])
    if int(wanted) not in numbers:
        there = f"version {numbers[0]}" if len(numbers) == 1 else f"the versions {numbers[0]} to {numbers[-1]}"
        raise InvalidInput(f"data: {given} is not there; the data set {name} has {there}.")
    return Reference(name, int(wanted))


def existing(name: str, sets: Path) -> Reference:
    """Return the newest version of a data set; raise InvalidInput if there is none of that name."""
    if numbers := version_numbers(sets, checked_set_name(name)):
        return Reference(name, numbers[-1])
    if others := set_names(sets):
        raise InvalidInput(f"name: there is no data set {name}; the data sets are {_listed(others)}.")
    raise InvalidInput(f"name: there is no data set {name}, and no other; `mnist data add {name} PATH` makes it.")


def _refuse_unknown(given: str, others: list[str]) -> NoReturn:
    raise InvalidInput(f"data: {given} is neither a path nor a named data set; the data sets are {_listed(others)}.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return f"{', '.join(names[:MOST_LISTED])}{more}"
