"""What a recipe is: everything that decides how one model is trained, as data."""

import dataclasses
import hashlib
import inspect
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras

Network = Callable[[tuple[int, int, int], int], "keras.Model"]
"""(height, width, channels), classes → a model from float32 [n, *shape] in [0, 1] to logits [n, classes]."""

Loss = Literal["cross_entropy", "naive_cross_entropy", "summed_sigmoid_cross_entropy"]


@dataclass(frozen=True)
class Optimizer:
    """An optimiser with its learning-rate schedule.

    `learning_rate` is the constant rate, or the peak of a `one_cycle` schedule (Smith, 2018): a linear
    rise from a tenth of it over the first `warm_up` share of the steps, then a linear fall to a hundredth.
    """

    name: Literal["sgd", "adam", "adamw"]
    learning_rate: float
    schedule: Literal["constant", "one_cycle"] = "constant"
    warm_up: float = 0.25
    beta_1: float = 0.9
    beta_2: float = 0.999
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """Random distortions of each training image, drawn anew at each step: uniform in ± the given value."""

    rotation_degrees: float = 0.0
    shift: float = 0.0  # share of the image's side
    zoom: float = 0.0  # share of the size


@dataclass(frozen=True)
class Recipe:
    """An architecture with its loss, optimiser, length and selection rule, under one name.

    Exactly one of `steps` and `epochs` is given. Validation happens `validations` times, evenly spaced.
    """

    name: str
    summary: str  # one line, for lists and forms
    network: Network
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    steps: int | None = None
    epochs: int | None = None
    least_steps: int = 1  # where the epochs of a small data set would come to fewer
    validations: int = 10
    validation_fraction: float = 1 / 12
    keep: Literal["last", "best"] = "last"  # the evaluated weights: by validation accuracy when "best"
    continues: str | None = None  # the recipe whose final weights and optimiser this one starts from
    diverges: bool = False  # its numbers are expected to overflow; it then goes on, so that its curve shows it
    convolutional: bool = False  # decides the precision: bfloat16 pays off in convolutions only
    label_smoothing: float = 0.0
    augmentation: Augmentation | None = None
    study: str | None = None  # recipes of one study are also drawn together, in a figure of that name
    suites: tuple[str, ...] = ()
    notebook_row: str | None = None
    seconds: float = 10.0  # expected on one core; long ones are started first

    def __post_init__(self) -> None:
        """Refuse a recipe that cannot be trained, at the moment it is written."""
        problems = {
            "its name may hold small letters, digits and _ only": not re.fullmatch("[a-z0-9_]+", self.name),
            # Anything else hides its source, and so its changes, from the digest.
            "network must be a plain function": not inspect.isfunction(self.network),
            "give either steps or epochs": (self.steps is None) == (self.epochs is None),
            "warm_up must lie between 0 and 1": not 0 < self.optimizer.warm_up < 1,
            "steps or epochs must be at least 1": (self.steps or self.epochs or 0) < 1,
            "batch_size must be at least 1": self.batch_size < 1,
            "least_steps must be at least 1": self.least_steps < 1,
            "validations must be at least 1": self.validations < 1,
            "validation_fraction must lie between 0 and 0.5": not 0 < self.validation_fraction <= 0.5,
            "learning_rate must be above 0": not self.optimizer.learning_rate > 0,
        }
        for problem, present in problems.items():
            if present:
                raise ValueError(f"recipe {self.name}: {problem}")

    def total_steps(self, training_images: int) -> int:
        """Optimiser steps on a training set of that many images (after the validation split)."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return max(self.least_steps, round(self.epochs * training_images / self.batch_size))

    def parameters(self) -> dict[str, Any]:
        """The settings as a flat JSON-able dictionary (what is logged, and what the digest covers)."""
        shown = dataclasses.asdict(dataclasses.replace(self, network=_no_network))
        flat: dict[str, Any] = {}
        for key, value in shown.items():
            if key in ("optimizer", "augmentation") and value is not None:
                flat |= {f"{key}.{inner}": setting for inner, setting in value.items()}
            elif key not in ("network", "summary", "study", "suites", "notebook_row", "seconds"):
                flat[key] = value
        return flat

    @property
    def source_file(self) -> Path:
        """The file that defines the network."""
        return Path(inspect.getsourcefile(sys.modules[self.network.__module__]) or "")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the settings and the source of the network, as 64 hex digits."""
        content = json.dumps(self.parameters(), sort_keys=True).encode() + self.source_file.read_bytes()
        return hashlib.sha256(content).hexdigest()


def _no_network(_shape: tuple[int, int, int], _classes: int) -> "keras.Model":
    """Stand in for the network, which has no JSON form and is covered by its source."""
    raise TypeError("a placeholder, not a network")
