"""A training in a comparison. It stands in a file without Matplotlib, which the flow must not load."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Compared:
    """A training to compare."""

    name: str
    directory: Path
    status: str  # "finished", "diverged", or "best"
    study: str | None  # trainings with the same study also get a figure of their own
