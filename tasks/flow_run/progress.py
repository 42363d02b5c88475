"""What can be seen of running trainings: bars or plain lines on the terminal, artifacts in Prefect."""

import logging
import re
import time
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from mnist_models.metric_names import TRAIN_ACCURACY
from mnist_models.redaction import redacted
from mnist_models.training_run.metrics_log import Record

logger = logging.getLogger(__name__)

LINE_SECONDS = 10.0  # between the first lines of a training; the pauses double, up to a minute
LONGEST_PAUSE = 60.0
ARTIFACT_SECONDS = 5.0  # between the first updates of an artifact; they double as well, up to half of a minute
LONGEST_ARTIFACT_PAUSE = 30.0
SHORTEST_LOOK = 0.1  # seconds of training, before which its pace is anybody's guess


@dataclass(frozen=True)
class Snapshot:
    """Where a training stands."""

    step: int
    steps: int
    accuracy: float  # mean of the latest batches, as a share
    images_per_second: float | None = None  # not known yet
    seconds_left: float = 0.0

    @property
    def share(self) -> float:
        """Done, from 0 to 1."""
        return self.step / self.steps

    def __str__(self) -> str:
        text = f"step {self.step:,} of {self.steps:,}, accuracy {self.accuracy:.1%}"
        speed, left = self.images_per_second, timedelta(seconds=round(self.seconds_left))
        return text if speed is None else f"{text}, {speed:,.0f} images/s, {left} left"

    @property
    def short(self) -> str:
        """As there is room for beside a bar."""
        text = f"{self.step:,}/{self.steps:,} {self.accuracy:.1%}"
        speed, left = self.images_per_second, timedelta(seconds=round(self.seconds_left))
        return text if speed is None else f"{text} {_short(speed):>5} img/s {left}"


class Observer:
    """Turns the records of one training into snapshots."""

    def __init__(self, steps: int, batch_size: int) -> None:
        self._steps, self._batch_size = steps, batch_size
        self._recent: deque[tuple[int, int, float]] = deque(maxlen=2000)

    def see(self, records: list[Record]) -> Snapshot | None:
        """The state after these records; None before the first step."""
        self._recent.extend(
            (record["step"], record["time"], record[TRAIN_ACCURACY]) for record in records if TRAIN_ACCURACY in record
        )
        if not self._recent:
            return None
        first, last = self._recent[0], self._recent[-1]
        latest = [accuracy for _, _, accuracy in list(self._recent)[-50:]]
        accuracy = sum(latest) / len(latest)
        seconds = (last[1] - first[1]) / 1000
        if seconds < SHORTEST_LOOK or last[0] <= first[0]:
            return Snapshot(last[0], self._steps, accuracy)
        pace = (last[0] - first[0]) / seconds
        return Snapshot(last[0], self._steps, accuracy, pace * self._batch_size, (self._steps - last[0]) / pace)


class Display:
    """Bars on a terminal, plain lines elsewhere. Any thread may call it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._lock = Lock()
        self._bars: dict[str, TaskID] = {}
        self._next_line: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("{task.description:<25.25}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", justify="right"),
            console=console,
            expand=True,
            refresh_per_second=4,
        )

    def shown(self) -> AbstractContextManager[object]:
        """Draw while a block runs."""
        return self._progress if self.console.is_terminal else nullcontext()

    def say(self, text: str, level: int = logging.INFO) -> None:
        """A line that stays, on the screen and in Prefect's log."""
        text = redacted(text)
        logger.log(level, text)
        self.console.print(text, highlight=False, soft_wrap=not self.console.is_terminal)

    def update(self, label: str, snapshot: Snapshot) -> None:
        """Show where a training stands."""
        if self.console.is_terminal:
            with self._lock:
                if label not in self._bars:
                    self._bars[label] = self._progress.add_task(label, total=1.0, text=snapshot.short)
            self._progress.update(self._bars[label], completed=snapshot.share, text=snapshot.short)
        elif time.monotonic() >= self._next_line.get(label, 0.0):
            pause = self._pause.get(label, LINE_SECONDS)
            self._next_line[label], self._pause[label] = time.monotonic() + pause, min(2 * pause, LONGEST_PAUSE)
            self.say(f"{label}: {snapshot}")

    def done(self, label: str, text: str, level: int = logging.INFO) -> None:
        """Replace a training's bar by a line."""
        with self._lock:
            bar = self._bars.pop(label, None)
        if bar is not None:
            self._progress.remove_task(bar)
        self.say(f"{label}: {text}", level)


class ProgressArtifact:
    """The same in Prefect's dashboard, as an artifact of the task run that makes this object; any thread may set it."""

    def __init__(self, label: str) -> None:
        self._label, self._task_run = label, copy_context()
        self._id: UUID | None = None
        self._next, self._pause = 0.0, ARTIFACT_SECONDS
        self._failing = False

    def update(self, share: float, text: str, last: bool = False) -> None:
        """Set it, after a pause unless it is the last time: each takes the server some 20 ms. Nothing is raised."""
        if not last and time.monotonic() < self._next:
            return
        self._next, self._pause = time.monotonic() + self._pause, min(2 * self._pause, LONGEST_ARTIFACT_PAUSE)
        try:
            self._task_run.run(self._set, share, f"{self._label}: {text}")
            self._failing = False
        except Exception as error:
            if not self._failing:
                logger.warning("%s: Prefect takes no records for now, which costs none: %s", self._label, error)
            self._failing = True

    def _set(self, share: float, description: str) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        if self._id is None:
            key = re.sub("[^a-z0-9]+", "-", f"progress {self._label}").strip("-")
            created = create_progress_artifact(100 * share, key=key, description=description)
            self._id = UUID(str(created))
        else:
            update_progress_artifact(self._id, 100 * share, description=description)


def _short(speed: float) -> str:
    return f"{speed / 1000:.0f}k" if speed >= 10_000 else f"{speed / 1000:.1f}k" if speed >= 1000 else f"{speed:.0f}"
