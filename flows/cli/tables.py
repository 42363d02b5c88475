"""The look of all tables on the terminal."""

from rich import box
from rich.table import Column, Table


def new_table(*columns: Column | str, title: str | None = None) -> Table:
    """Return an empty table with one line under its headings."""
    return Table(*columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=title, title_justify="left")
