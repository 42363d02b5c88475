"""A training as a comparison shows it; apart from the drawing, so that asking for one loads no Matplotlib."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Compared:
    """Its name, its run directory, and in which group it is shown."""

    name: str
    directory: Path
    status: str  # "finished", "diverged", or "best"
    study: str | None  # trainings of one study are also drawn together
