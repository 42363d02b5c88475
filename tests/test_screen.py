"""What is printed for texts that are not ours."""

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from rich.table import Table
from test_shown_text import TEXTS

from mnist_models.screen import Screen
from mnist_models.shown_text import on_screen

ROOT = Path(__file__).parent.parent


def printed(*things):
    file = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")  # strict, as the terminal is
    screen = Screen(file=file, width=500, color_system="truecolor", force_terminal=True)
    screen.print(*things, highlight=False, soft_wrap=True)
    file.flush()
    return re.sub(r"\x1b\[[\d;]*m", "", file.buffer.getvalue().decode())


@given(TEXTS)
def test_any_name_is_printed_as_it_is(name):
    lines = [on_screen(line) for line in name.split("\n")]
    assert printed(f"({name})") == "(" + "\n".join(lines) + ")\n"
    shown = on_screen(name)
    table = Table()
    table.add_column("file", no_wrap=True)
    table.add_row(f"({on_screen(name)})")
    assert f"({shown})" in printed(table)


@pytest.mark.parametrize("name", ["scan[copy].png", "dir[/red].png", "[bold]a[/bold]", ":smile:", "a\x1b]0;title\x07"])
def test_no_part_of_a_name_is_a_command(name):
    table = Table()
    table.add_column(name)
    table.add_row(name)
    for thing in (name, table):
        assert on_screen(name) in printed(thing)


def test_our_own_lines_end():
    assert printed("one\ntwo") == "one\ntwo\n"


def test_every_screen_is_one_of_these():
    """Rich's own console takes [copy] in a file's name for a style, and leaves it out."""
    files = (file for package in ("flows", "tasks", "mnist_models") for file in (ROOT / package).rglob("*.py"))
    assert {file.name for file in files if re.search(r"\bConsole\(", file.read_text())} == set()
