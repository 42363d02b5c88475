"""Where a running training stands, read from its records."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from mnist_models.metric_names import TRAIN_ACCURACY
from mnist_models.training_run.metrics_log import Record

ROOM_FOR_SPEED, ROOM_FOR_STEPS = 78, 100  # columns of a terminal
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
        speed = self.images_per_second
        return text if speed is None else f"{text}, {speed:,.0f} images/s, {self._left} left"

    def beside_bar(self, columns: int) -> str:
        """Return as much of it as there is room for beside a bar, on a terminal of so many columns."""
        parts = [f"{self.share:.0%}", f"accuracy {self.accuracy:.1%}"]
        if columns >= ROOM_FOR_STEPS:
            parts[:1] = [f"step {self.step:,} of {self.steps:,}"]
        if self.images_per_second is not None:
            parts += [f"{_short(self.images_per_second)} img/s"] if columns >= ROOM_FOR_SPEED else []
            parts += [f"{self._left} left"]
        return "  ".join(parts)

    @property
    def _left(self) -> timedelta:
        return timedelta(seconds=round(self.seconds_left))


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


def _short(speed: float) -> str:
    return f"{speed / 1000:.0f}k" if speed >= 10_000 else f"{speed / 1000:.1f}k" if speed >= 1000 else f"{speed:.0f}"
