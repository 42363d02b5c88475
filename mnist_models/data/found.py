"""What a format has found at a path, before anything of it is believed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

Part = Literal["train", "validation", "test", ""]

PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""How the parts of a data set are called in folders, tables and files, and what they are."""


class ImageFile(NamedTuple):
    """One labelled image file."""

    file: Path
    label: str
    part: Part  # empty if nothing says it
    where: str  # what messages call it: "cats/a.png", or "labels.csv, row 3: a.png"
    group: str = ""  # images of one group, such as one writer, must not be split


@dataclass(frozen=True)
class ImageFiles:
    """Image files with their labels; nothing of them has been read."""

    files: Sequence[ImageFile]
    left_alone: dict[str, int] = field(default_factory=dict)  # what else was there, in words → how many
    empty_classes: tuple[str, ...] = ()  # that hold no image


@dataclass(frozen=True)
class LabelledArrays:
    """Images and labels by part, as they are in a file: of any type, shape and scale."""

    images: dict[Part, np.ndarray]
    labels: dict[Part, np.ndarray]
    class_names: tuple[str, ...] = ()  # by label, from 0 on; empty if nothing says them
    pixel_max: np.ndarray | None = None  # what a file states of its scale
    groups: dict[Part, np.ndarray] = field(default_factory=dict)  # a name or number for each image
    names: dict[Part, str] = field(default_factory=dict)  # what the arrays are called where they come from


Found = ImageFiles | LabelledArrays
