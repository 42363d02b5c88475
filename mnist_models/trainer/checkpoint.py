"""The whole state of a training in one file: weights, optimiser, step and the best weights so far.

The data order and the augmentation are functions of the step, and dropout's state is among the model's
variables, so that a resumed training gives the same result as one that was never interrupted.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_models.atomic import atomic_path

Weights = list[NDArray[np.generic]]


class DamagedCheckpoint(ValueError):
    """A checkpoint that cannot be used; the message says which and why."""


@dataclass
class Progress:
    """Where a training stands. Steps count from 1; 0 is before the first."""

    step: int = 0
    train_seconds: float = 0.0
    best_step: int = 0
    best_accuracy: float = -1.0
    good_step: int = 0  # the last at which all weights were finite
    first_nan_step: int | None = None
    nan_variables: list[str] = field(default_factory=list)
    resumed_at: list[int] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # checkpoints that could not be used, and why

    @property
    def diverged(self) -> bool:
        """Whether a NaN has been found."""
        return self.first_nan_step is not None


@dataclass
class Checkpoint:
    """One state of a training."""

    progress: Progress
    model: Weights  # all of the model's variables, the random generators' states included
    optimizer: Weights
    best: Weights  # at the best validation so far, without the generators; empty when the recipe keeps the last


PARTS = ("model", "optimizer", "best")


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write the checkpoint; the previous one stays beside it."""
    arrays = {f"{part}/{number:04d}": array for part in PARTS for number, array in enumerate(getattr(checkpoint, part))}
    state = {"progress": asdict(checkpoint.progress), "arrays": sorted(arrays)}
    with atomic_path(path) as temporary:
        np.savez(temporary, allow_pickle=False, state=json.dumps(state), **arrays)
        if path.exists():
            path.replace(previous(path))


def previous(path: Path) -> Path:
    """Return the file of the checkpoint before the latest."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; raise FileNotFoundError, or DamagedCheckpoint if a checksum shows it to be cut or altered."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            parts = {part: [arrays[name] for name in arrays.files if name.startswith(f"{part}/")] for part in PARTS}
            state = json.loads(str(arrays["state"]))
            if state["arrays"] != sorted(name for name in arrays.files if name != "state"):
                raise ValueError("arrays are missing")  # the archive's directory has no checksum
            return Checkpoint(Progress(**state["progress"]), **parts)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib, json and numpy raise a dozen types for damaged bytes
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DamagedCheckpoint(f"{path.name} is damaged ({reason})") from error


def load_latest(path: Path, fits: Callable[[Checkpoint], bool]) -> tuple[Checkpoint | None, list[str]]:
    """Return the latest checkpoint that is intact and that `fits` accepts, and what is wrong with later ones.

    A bad one is renamed, or the next `save` would put it in the place of an earlier good one.
    """
    damaged: list[str] = []
    for file in filter(Path.exists, (path, previous(path))):
        try:
            found = load(file)
            if fits(found):
                return found, damaged
            damaged.append(f"{file.name} belongs to a network or an optimiser of another shape")
        except DamagedCheckpoint as error:
            damaged.append(str(error))
        file.replace(file.with_name(f"damaged-{file.name}"))
    return None, damaged


def values(variables: list[keras.Variable]) -> Weights:
    """Return a copy of the variables' values."""
    return [np.array(variable.numpy()) for variable in variables]


def alike(variables: list[keras.Variable], weights: Weights) -> bool:
    """Return whether number and shapes are those of the variables."""
    return [tuple(variable.shape) for variable in variables] == [array.shape for array in weights]


def assign(variables: list[keras.Variable], weights: Weights) -> None:
    """Set variables to saved values, or raise ValueError if number or shapes differ."""
    if not alike(variables, weights):
        raise ValueError("the saved state belongs to a network or an optimiser of another shape")
    for variable, array in zip(variables, weights, strict=True):
        variable.assign(array)
