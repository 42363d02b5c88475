"""Which schemas an installed library knows: read from its migrations, without importing it."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# A migration names itself and its predecessor, as Alembic's template writes it.
REVISION = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)
NAME = re.compile(r"""["'](\w+)["']""")


@dataclass(frozen=True)
class Revisions:
    """The schemas that a library can come from, and the one that it needs."""

    known: frozenset[str]
    head: str


@cache
def revisions_of(package: str, folder: str) -> Revisions:
    """Return those of the migrations in a folder below an installed package; they form one line."""
    spec = find_spec(package)  # of a package at the top, which is not imported for it
    assert spec is not None
    assert spec.origin is not None
    known: set[str] = set()
    replaced: set[str] = set()
    for file in (Path(spec.origin).parent / folder).glob("*.py"):
        for key, value in REVISION.findall(file.read_text(encoding="utf-8")):
            (known if key == "revision" else replaced).update(NAME.findall(value))
    (head,) = known - replaced
    return Revisions(frozenset(known), head)
