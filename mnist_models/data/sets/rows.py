"""The images of one version, as a table in a Parquet file that is named by what it says."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mnist_models.atomic import atomic_path
from mnist_models.data.found import Part
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import on_screen


class Row(NamedTuple):
    """One image of a data set. An image that was removed keeps its row, and so its side for the day it returns."""

    content: str  # SHA-256 of the file, 64 hex digits
    label: str
    part: Part  # never empty: once an image has a side, it keeps it
    group: str
    name: str  # what it was called where it came from
    key: int  # `key_of` the content
    height: int  # in pixels
    width: int
    size: int  # of the file in bytes
    earlier: tuple[str, ...] = ()  # labels that it had before
    removed: bool = False


def kept(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of images that are in the version."""
    return [row for row in rows if not row.removed]


def digest_of(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of what a version holds, as 64 hex digits: contents, labels, sides, groups and their order."""
    said = [[row.content, row.label, row.part, row.group] for row in kept(rows)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def write_rows(folder: Path, rows: Sequence[Row]) -> str:
    """Write the table into a folder; return the name of its file."""
    import pyarrow as pa
    from pyarrow import parquet

    kinds = [*[pa.string()] * 5, pa.uint64(), *[pa.int64()] * 3, pa.list_(pa.string()), pa.bool_()]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(Row._fields)}
    table = pa.Table.from_pydict(columns, pa.schema(list(zip(Row._fields, kinds, strict=True))))
    said = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    file = folder / f"{said[:32]}.parquet"
    with atomic_path(file) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
    return file.name


def read_rows(file: Path, shown: str, digest: str) -> list[Row]:
    """Return the rows that `write_rows` wrote; raise InvalidInput if they are damaged. `shown` is what it is for."""
    from pyarrow import ArrowException, parquet

    try:
        columns = parquet.read_table(file).to_pydict()
        columns["earlier"] = [tuple(labels) for labels in columns["earlier"]]
        rows = [Row._make(each) for each in zip(*(columns[name] for name in Row._fields), strict=True)]
        if digest_of(rows) == digest:
            return rows
        reason = "it is damaged"
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        reason = f"it cannot be read ({type(error).__name__})"
    raise InvalidInput(f"data: {shown}: {on_screen(str(file))} says which images it holds, but {reason}.")
