"""Images taken out of a data set: they stay in its earlier versions."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mnist_models.data.sets.lock import locked_set
from mnist_models.data.sets.names import existing
from mnist_models.data.sets.objects import content_digest
from mnist_models.data.sets.rows import Row, kept
from mnist_models.data.sets.versions import Version, read_version, rows_of, write_version
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import SUFFIXES
from mnist_models.images.read import opened
from mnist_models.shown_text import in_title, on_screen

SHORTEST = 8  # hex digits of a content's digest
HEX = frozenset("0123456789abcdef")


def remove(sets: Path, name: str, wanted: Sequence[str], say: Callable[[str], None]) -> Version:
    """Make a version without some images, and return it.

    Each of `wanted` is the name that an image had where it was added, a pattern of such names (cats/*), the first hex
    digits of its content's SHA-256, or an image file with the same content. Raise InvalidInput if one means no image,
    or a name means several.
    """
    existing(name, sets)
    with locked_set(sets, name, say):
        newest = read_version(sets, existing(name, sets))
        rows = rows_of(sets, newest)
        there = kept(rows)
        gone = {row.content for each in wanted for row in _meant(there, each, name)}
        after = [row._replace(removed=True) if row.content in gone else row for row in rows]
        return write_version(sets / name, newest.number + 1, after, rows, [on_screen(each) for each in wanted])


def _meant(rows: Sequence[Row], wanted: str, name: str) -> list[Row]:
    if found := [row for row in rows if row.name == wanted]:
        if len(found) > 1:
            contents = ", ".join(f"{row.content[:12]} ({in_title(row.label)})" for row in found[:5])
            raise InvalidInput(
                f"name: {len(found)} images of {name} were called {in_title(wanted)}; give the content instead:"
                f" {contents}."
            )
        return found
    if len(wanted) >= SHORTEST and set(wanted) <= HEX and (found := [r for r in rows if r.content.startswith(wanted)]):
        return found
    if any(each in wanted for each in "*?[") and (found := [row for row in rows if fnmatchcase(row.name, wanted)]):
        return found
    if wanted.lower().endswith(SUFFIXES) and Path(wanted).is_file():
        with opened(Path(wanted)) as file:
            digest = content_digest(file.read())
        if found := [row for row in rows if row.content == digest]:
            return found
    raise InvalidInput(
        f"name: {in_title(wanted)} is no image of {name}; give names as they were added, patterns of them in quotes,"
        " digests of contents, or image files."
    )
