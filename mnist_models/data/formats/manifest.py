"""A table of image files with their labels, `.csv` or `.parquet`, by itself or in the folder of the images.

Its columns are path and label, and if wanted split (train, validation, test) and group. Paths count from the folder of
the table and stay inside it.
"""

import csv
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mnist_models.data.found import PARTS, ImageFile, ImageFiles
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title, on_screen

TITLE = "a table of images (.csv, .parquet)"

COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path"),
    "label": ("label", "class", "class_name", "target", "category"),
    "split": ("split", "part", "subset", "set"),
    "group": ("group", "group_id"),
}
"""What each column may be called, in any case."""

SUFFIXES = (".csv", ".tsv", ".parquet")
MOST_BYTES = 200_000_000
MOST_ROWS = 2_000_000
LONGEST_LINE = 1_000_000

Row = Mapping[str, Any]


def recognises(path: Path) -> bool:
    """Return whether it is such a table, or a folder that holds a single one."""
    return (path.is_file() and path.suffix.lower() in SUFFIXES) or _table_in(path) is not None


def read(path: Path, _largest: int) -> ImageFiles:
    """Return the images that the table names, with the number of the row in which each stands.

    Raise InvalidInput for a table without the two columns, a row without a label, with an unknown split, or with a path
    that leads outside, and OSError if it cannot be read. No image is opened.
    """
    table = path if path.is_file() else _table_in(path)
    assert table is not None
    shown = on_screen(table.name)
    if table.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"data: {shown} is larger than the {MOST_BYTES // 10**6} MB that a table may take.")
    rows = _rows_of_parquet(table) if table.suffix.lower() == ".parquet" else _rows_of_text(table)
    root = table.parent.resolve()
    files = [_image_file(row, number, table, root) for number, row in rows]
    if not files:
        raise InvalidInput(f"data: {on_screen(str(table))} must name at least one image, but has no rows.")
    return ImageFiles(files)


def _image_file(row: Row, number: int, table: Path, root: Path) -> ImageFile:
    where = f"{on_screen(table.name)}, row {number}"
    given, label, split = (_text(row.get(column)) for column in ("path", "label", "split"))
    if not given or not label:
        missing = "label" if given else "path"
        raise InvalidInput(f"data: {where} must name a path and a label, but its {missing} is empty.")
    if split and split.lower() not in PARTS:
        raise InvalidInput(f"data: {where}: split must be train, validation or test, not {in_title(split)!r}.")
    # Links are resolved, too, so that none leads outside.
    if "\0" in given or not Path(os.path.realpath(root / given)).is_relative_to(root):
        raise InvalidInput(f"data: {where}: the path {in_title(given)!r} must stay in the folder of the table.")
    part = PARTS[split.lower()] if split else ""
    return ImageFile(table.parent / given, label, part, f"{where}: {in_title(given)}", _text(row.get("group")))


def _text(value: object) -> str:
    """Return a cell as text; empty for none, and 3 for the 3.0 that a column with gaps makes of it."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return str(value).strip()


def _table_in(folder: Path) -> Path | None:
    """Return the only table with the two columns in a folder."""
    if not folder.is_dir():
        return None
    tables = [each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and not each.name.startswith(".")]
    fitting = [each for each in tables if each.is_file() and _has_columns(each)]
    return fitting[0] if len(fitting) == 1 else None


def _has_columns(table: Path) -> bool:
    try:
        next(_rows_of_parquet(table) if table.suffix.lower() == ".parquet" else _rows_of_text(table), None)
    except (InvalidInput, OSError):
        return False
    return True


def _renamed(header: list[str], table: Path) -> dict[str, str]:
    """Return our name of each column that has one, by its own name."""
    own = {name.strip().lower(): name for name in reversed(header)}
    found = {ours: next((own[name] for name in names if name in own), None) for ours, names in COLUMNS.items()}
    if missing := next((ours for ours in ("path", "label") if found[ours] is None), None):
        allowed = ", ".join(COLUMNS[missing])
        columns = in_title(", ".join(header)) or "none"
        raise InvalidInput(
            f"data: {on_screen(str(table))} must have a column {missing} (or {allowed}), but its columns are {columns}."
        )
    return {name: ours for ours, name in found.items() if name is not None}


def _rows_of_text(table: Path) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a CSV file with their numbers as an editor counts them, 1 being the header."""
    csv.field_size_limit(LONGEST_LINE)
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            start = file.readline(LONGEST_LINE)
            separator = max("\t;,", key=start.count)
            reader = csv.reader(itertools.chain([start], file), delimiter=separator)
            header = next(reader, [])
            names = _renamed(header, table)
            for cells in reader:
                if not any(cells):
                    continue
                if reader.line_num > MOST_ROWS:
                    raise InvalidInput(f"data: {on_screen(str(table))} has more than {MOST_ROWS:,} rows.")
                row = dict(zip(header, cells, strict=False))
                yield reader.line_num, {ours: row.get(name, "") for name, ours in names.items()}
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput(f"data: {on_screen(str(table))} is no table in CSV (UTF-8): {error}.") from error


def _rows_of_parquet(table: Path) -> Iterator[tuple[int, Row]]:
    from pyarrow import ArrowException, parquet

    shown = on_screen(str(table))
    try:
        with parquet.ParquetFile(table) as file:
            names = _renamed(list(file.schema_arrow.names), table)
            size = sum(file.metadata.row_group(each).total_byte_size for each in range(file.metadata.num_row_groups))
            if file.metadata.num_rows > MOST_ROWS or size > MOST_BYTES:
                raise InvalidInput(f"data: {shown} may have {MOST_ROWS:,} rows and {MOST_BYTES // 10**6} MB unpacked.")
            number = 0
            for batch in file.iter_batches(columns=list(names)):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {names[name]: value for name, value in row.items()}
    except InvalidInput:
        raise
    except (ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InvalidInput(f"data: {shown} cannot be read as a Parquet file: {in_title(reason)}.") from error
