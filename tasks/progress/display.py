"""What the terminal shows of a flow run: bars and a line that moves on a terminal, plain lines elsewhere."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from threading import Lock
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.spinner import Spinner
from rich.table import Column

from mnist_models.redaction import redacted

logger = logging.getLogger(__name__)

LINE_SECONDS = 10.0  # between the first lines of a training; the pauses double, up to a minute
LONGEST_PAUSE = 60.0
FRAMES = 4  # a second; each costs a little of a core that trains
LONGEST_LABEL = 26
LONGEST_WARNING = 240
OUR_LOGGERS = ("flows", "tasks", "mnist_models")
STARTS = "TensorFlow loads and compiles"
AFTER_TRAINING = "Evaluating, drawing and comparing"


class Standing(Protocol):
    """Where something stands; as a text it is a line of its own."""

    @property
    def share(self) -> float:
        """Done, from 0 to 1."""

    def beside_bar(self, columns: int) -> str:
        """Return what to say beside a bar, on a terminal of so many columns."""


class _Warnings(logging.Handler):
    """Puts on the screen what otherwise only Prefect's log would hold: a server that is away, for one."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != __name__:  # that is on the screen already
            text = redacted(record.getMessage().partition("\n")[0])
            self._show(text if len(text) <= LONGEST_WARNING else f"{text[:LONGEST_WARNING]}…")


class Display:
    """What is going on, from the first second on. Any thread may call it."""

    def __init__(self, console: Console, warnings: bool = True) -> None:
        self.console, self._warns = console, warnings
        self._lock = Lock()
        self._bars: dict[str, TaskID] = {}
        self._next_line: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._spinner, self._awaited, self._since = Spinner("dots"), "", 0.0
        self._is_shown = False
        label = Column(no_wrap=True, overflow="ellipsis", max_width=min(LONGEST_LABEL, console.width // 3))
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=label),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False, table_column=Column(no_wrap=True, justify="right")),
            console=console,
            expand=True,
            auto_refresh=False,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw while a block runs, and print what it warns of, unless that is done already around it."""
        if self._is_shown:
            yield
            return
        warnings = _Warnings(self._print)
        live = Live(get_renderable=self._look, console=self.console, refresh_per_second=FRAMES, transient=True)
        self._is_shown = True
        for name in OUR_LOGGERS if self._warns else ():
            logging.getLogger(name).addHandler(warnings)
        try:
            with live if self.console.is_terminal else nullcontext():
                yield
        finally:
            self._is_shown = False
            for name in OUR_LOGGERS:
                logging.getLogger(name).removeHandler(warnings)

    def say(self, text: str, level: int = logging.INFO) -> None:
        """A line that stays, on the screen and in Prefect's log."""
        text = redacted(text)
        logger.log(level, text)
        self._print(text)

    def wait_for(self, what: str) -> None:
        """Say what is going on as long as no training is: moving on a terminal, as a line elsewhere."""
        self._note(what)
        if not self.console.is_terminal:
            self._print(f"{what} …")

    def begin(self, label: str) -> None:
        """A training has its trainer; its first step may take a while."""
        if self.console.is_terminal:
            self._draw(label, None, STARTS)
        else:
            self._print(f"{label}: {STARTS} …")

    def expect(self, label: str) -> None:
        """Print no line of it yet: it may be done in a moment."""
        self._next_line[label] = time.monotonic() + LINE_SECONDS

    def update(self, label: str, snapshot: Standing) -> None:
        """Show where a training, or whatever else takes long, stands."""
        if self.console.is_terminal:
            self._draw(label, snapshot.share, snapshot.beside_bar(self.console.width))
        elif time.monotonic() >= self._next_line.get(label, 0.0):
            pause = self._pause.get(label, LINE_SECONDS)
            self._next_line[label], self._pause[label] = time.monotonic() + pause, min(2 * pause, LONGEST_PAUSE)
            self.say(f"{label}: {snapshot}")

    def done(self, label: str, text: str, level: int = logging.INFO) -> None:
        """Replace a training's bar by a line."""
        self.remove(label)
        self._note(AFTER_TRAINING)
        self.say(f"{label}: {text}", level)

    def remove(self, label: str) -> None:
        """Take a bar away, if it is there."""
        with self._lock:
            bar = self._bars.pop(label, None)
        if bar is not None:
            self._progress.remove_task(bar)

    def _draw(self, label: str, share: float | None, text: str) -> None:
        """Draw a bar; without a share it only moves."""
        total = None if share is None else 1.0
        with self._lock:
            if label not in self._bars:
                self._bars[label] = self._progress.add_task(label, total=total, text=text)
            self._progress.update(self._bars[label], total=total, completed=share or 0.0, text=text)

    def _note(self, what: str) -> None:
        if what != self._awaited:
            self._awaited, self._since = what, time.monotonic()

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=not self.console.is_terminal)

    def _look(self) -> RenderableType:
        """What is drawn below the lines that stay."""
        if self._bars:
            return self._progress
        if not self._awaited:
            return Group()
        passed = timedelta(seconds=int(time.monotonic() - self._since))
        self._spinner.update(text=f"{self._awaited}  {passed}")
        return self._spinner
