"""What the terminal shows of a flow run, from the first second on."""

import io
import logging
import os
from unittest import mock

import pytest
from rich.console import Console

from tasks.progress.display import STARTS, Display
from tasks.progress.output import lasting_output
from tasks.progress.snapshot import Snapshot

LATE = Snapshot(12345, 100000, 0.9, 123456.0, 3661)


def terminal(width=80):
    """A display on a terminal, and what is written to it."""
    out = io.StringIO()
    return Display(Console(file=out, force_terminal=True, width=width, color_system=None, legacy_windows=False)), out


def lines(out):
    return [line.rstrip() for line in out.getvalue().replace("\r", "\n").splitlines()]


def drawn(display):
    """What stands below the lines that stay."""
    with display.console.capture() as captured:
        display.console.print(display._look())
    return captured.get().rstrip("\n").splitlines()


def test_without_a_terminal_there_are_plain_lines_and_not_too_many():
    out = io.StringIO()
    display = Display(Console(file=out, force_terminal=False, width=80))
    with display.shown():
        display.wait_for("Starting Prefect and the trainers")
        display.begin("net")
        for step in range(1, 50):
            display.update("net", Snapshot(step, 1000, 0.9, 1234.0, 61))
        display.done("net", "finished")
    assert out.getvalue().splitlines() == [
        "Starting Prefect and the trainers …",
        f"net: {STARTS} …",
        "net: step 1 of 1,000, accuracy 90.0%, 1,234 images/s, 0:01:01 left",
        "net: finished",
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_bar_fits_its_terminal_and_says_what_its_numbers_are(width):
    display, _ = terminal(width)
    for label in ("relu_dropout_diverged (12)", "a_recipe_whose_name_takes_more_than_its_share", "net"):
        display.update(label, LATE)
    for line in drawn(display):
        assert len(line) <= width
        assert "accuracy 90.0%" in line
        assert ("12%" in line) == (width < 100)
        assert "╸" in line or "━" in line  # a bar
        assert line.endswith("1:01:01 left")
    assert len(drawn(display)) == 3


def test_something_moves_from_the_first_second_to_the_last(monkeypatch):
    clock = mock.Mock(side_effect=lambda: now)
    now = 100.0
    monkeypatch.setattr("tasks.progress.display.time.monotonic", clock)
    display, _ = terminal()
    assert drawn(display) == []
    display.wait_for("Starting Prefect and the trainers")
    now += 12
    (line,) = drawn(display)
    assert line.endswith("Starting Prefect and the trainers  0:00:12")
    display.begin("net")
    (line,) = drawn(display)
    assert line.startswith("net ")
    assert line.endswith(STARTS)
    display.update("net", LATE)
    (line,) = drawn(display)
    assert line.endswith("left")
    display.done("net", "finished")
    (line,) = drawn(display)
    assert line.endswith("comparing  0:00:00")


def test_a_training_that_begins_again_is_drawn_from_its_beginning():
    display, _ = terminal()
    display.update("net", LATE)
    display.begin("net")
    (line,) = drawn(display)
    assert line.endswith(STARTS)
    display.update("net", LATE)
    assert len(drawn(display)) == 1


def test_what_is_shown_is_gone_at_the_end_and_what_is_said_stays():
    display, out = terminal()
    with display.shown():
        display.wait_for("Starting")
        with display.shown():  # as by the flow within the command
            display.say("a line that stays")
    assert "a line that stays\n" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")  # the moving line is cleared
    assert out.getvalue().count("\x1b[?25h") == 1  # so often the cursor comes back


def test_names_are_shown_as_they_are():
    display, out = terminal()
    display.update("net[red]", LATE)
    display.done("net[red]", "[/bold] finished")
    assert "net[red]: [/bold] finished" in lines(out)


class Gone(io.StringIO):
    """A screen that has gone away after the first lines."""

    def write(self, text):
        if self.tell() > 20:
            raise OSError(5, os.strerror(5))
        return super().write(text)


def test_a_screen_that_goes_away_costs_nothing(monkeypatch):
    screen = Gone()
    monkeypatch.setattr("sys.stdout", screen)
    display = Display(Console(file=lasting_output(), force_terminal=True, width=80))
    with display.shown():
        for _ in range(3):
            display.say("a line of some length")
            display.update("net", LATE)
        display.done("net", "finished")
    assert screen.tell() > 20


def test_what_the_flow_run_warns_of_is_on_the_screen_once():
    out = io.StringIO()
    display = Display(Console(file=out, force_terminal=False, width=80))
    logger = logging.getLogger("tasks.tracking.anything")
    with display.shown(), display.shown():
        logger.warning("MLflow takes no records for now: http://user:secret@host/%s", "x")
        logger.info("of no concern")
        display.say("said", logging.WARNING)
    logger.warning("after the end")
    assert out.getvalue().splitlines() == ["MLflow takes no records for now: http://***@host/x", "said"]
