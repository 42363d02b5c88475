"""How far a long row of images has come, on the screen and in Prefect."""

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from tasks.progress.artifact import ARTIFACT_SECONDS, ProgressArtifact
from tasks.progress.display import Display

ROOM_FOR_SPEED = 78  # columns of a terminal
PAUSE = 0.2  # seconds between updates; images may come by the thousand in one
LABEL = "predictions"


@dataclass(frozen=True)
class Standing:
    """Where it stands."""

    done: int
    total: int
    images_per_second: float | None = None  # not known yet

    @property
    def share(self) -> float:
        """Done, from 0 to 1."""
        return self.done / self.total

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,} images"
        return f"{text}, {self._pace} images/s, {self._left} left" if self.images_per_second else text

    def beside_bar(self, columns: int) -> str:
        """Return as much of it as there is room for beside a bar, on a terminal of so many columns."""
        parts = [f"{self.done:,} of {self.total:,}"]
        if self.images_per_second:
            parts += [f"{self._pace} img/s"] if columns >= ROOM_FOR_SPEED else []
            parts += [f"{self._left} left"]
        return "  ".join(parts)

    @property
    def _pace(self) -> str:
        pace = self.images_per_second or 0.0
        return f"{pace:,.0f}" if pace >= 10 else f"{pace:.1f}"

    @property
    def _left(self) -> timedelta:
        return timedelta(seconds=round((self.total - self.done) / (self.images_per_second or 1)))


class Tally:
    """Counts images of a task run; what takes a moment only leaves neither lines nor an artifact."""

    def __init__(self, display: Display, prefect: Executor, total: int, done: int = 0) -> None:
        self._display, self._prefect, self._total, self._done = display, prefect, total, done
        self._first, self._began = done, time.monotonic()
        self._next = self._began + PAUSE
        self._artifact = ProgressArtifact(LABEL)
        self._recorded: Future[None] | None = None
        display.expect(LABEL)

    def count(self) -> None:
        """One more is done."""
        self._done += 1
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PAUSE
        standing = Standing(self._done, self._total, (self._done - self._first) / (now - self._began))
        self._display.update(LABEL, standing)
        if now - self._began >= ARTIFACT_SECONDS and (self._recorded is None or self._recorded.done()):
            self._recorded = self._prefect.submit(self._artifact.update, standing.share, str(standing))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away; what has come of it, others tell."""
        self._display.remove(LABEL)
        if self._recorded is not None:
            standing = Standing(self._done, self._total)
            self._prefect.submit(self._artifact.update, standing.share, str(standing), last=True)
