"""What a recipe is: everything that decides how one model is trained, as a value."""

import dataclasses
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mnist_models.field_types import check_fields
from mnist_models.recipe_reference import Network, reference, resolve, source_digest

NOTE = {"note": True}  # metadata of a field that describes a recipe and does not change what is trained
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

    def __post_init__(self) -> None:
        """Refuse a field of another type, or a name that does not exist."""
        check_fields(self, "optimizer")


@dataclass(frozen=True)
class Augmentation:
    """Random distortions of each training image, drawn anew at each step: uniform in ± the given value."""

    rotation_degrees: float = 0.0
    shift: float = 0.0  # share of the image's side
    zoom: float = 0.0  # share of the size

    def __post_init__(self) -> None:
        """Refuse a field of another type."""
        check_fields(self, "augmentation")


@dataclass(frozen=True)
class Recipe:
    """An architecture with its loss, optimiser, length and selection rule, under one name.

    Exactly one of `steps` and `epochs` is given. Validation happens `validations` times, evenly spaced.
    Every field decides the result and is logged, except those that are marked as a note.
    """

    name: str
    summary: str = field(metadata=NOTE)  # one line, for lists and forms
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
    study: str | None = field(default=None, metadata=NOTE)  # drawn together with others, in a figure of that name
    suites: tuple[str, ...] = field(default=(), metadata=NOTE)
    notebook_row: str | None = field(default=None, metadata=NOTE)
    seconds: float = field(default=10.0, metadata=NOTE)  # expected on one core; long ones are started first

    def __post_init__(self) -> None:
        """Refuse a recipe that cannot be trained, at the moment it is written."""
        if isinstance(self.suites, list):
            object.__setattr__(self, "suites", tuple(self.suites))
        check_fields(self, f"recipe {self.name}")
        betas = self.optimizer.beta_1, self.optimizer.beta_2
        problems = {
            "its name may hold small letters, digits and _ only": not re.fullmatch("[a-z0-9_]+", self.name),
            # Anything else cannot be named to a trainer, and hides its source, and so its changes, from the identity.
            "network must be a plain function": reference(self.network) is None,
            "give either steps or epochs": (self.steps is None) == (self.epochs is None),
            "warm_up must lie between 0 and 1": not 0 < self.optimizer.warm_up < 1,
            "steps or epochs must be at least 1": (self.steps or self.epochs or 0) < 1,
            "batch_size must be at least 1": self.batch_size < 1,
            "least_steps must be at least 1": self.least_steps < 1,
            "validations must be at least 1": self.validations < 1,
            "validation_fraction must lie between 0 and 0.5": not 0 < self.validation_fraction <= 0.5,
            "learning_rate must be above 0": not 0 < self.optimizer.learning_rate < math.inf,
            "beta_1 and beta_2 must be at least 0 and below 1": not 0 <= min(betas) <= max(betas) < 1,
            "weight_decay must be at least 0": not self.optimizer.weight_decay >= 0,
            "weight_decay has an effect with adamw only": self.optimizer.weight_decay > 0
            and self.optimizer.name != "adamw",
            "label_smoothing must be at least 0 and below 1": not 0 <= self.label_smoothing < 1,
        }
        for problem, present in problems.items():
            if present:
                raise ValueError(f"recipe {self.name}: {problem}")

    def parameters(self) -> dict[str, Any]:
        """Return what decides the result, but for the network, as a flat JSON-able dictionary; this is logged."""
        flat: dict[str, Any] = {}
        decisive = {name: value for name, value in dataclasses.asdict(self).items() if name in DECISIVE - {"network"}}
        for name, value in decisive.items():
            flat |= {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
        return flat

    def to_json(self) -> dict[str, Any]:
        """Return the whole recipe as JSON-able values; the network is `module:function`."""
        return dataclasses.asdict(self) | {"network": reference(self.network)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Recipe":
        """Return the recipe that `to_json` has written, or raise as `resolve` does."""
        augmentation = Augmentation(**values["augmentation"]) if values["augmentation"] else None
        parts = {"optimizer": Optimizer(**values["optimizer"]), "augmentation": augmentation}
        return cls(**values | parts | {"network": resolve(values["network"]), "suites": tuple(values["suites"])})

    @cached_property
    def network_digest(self) -> str:
        """SHA-256 over the code that builds the network, as 64 hex digits."""
        return source_digest(self.network)


DECISIVE = frozenset(each.name for each in dataclasses.fields(Recipe) if not each.metadata.get("note"))
"""The fields that decide the result; they are part of a training's identity, and are logged."""
