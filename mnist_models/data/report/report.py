"""The value that a look at a data set gives."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class ClassCounts(NamedTuple):
    """How many images of a class each part holds."""

    name: str
    train: int  # without those for validation
    validation: int  # that the user has held out
    test: int


class Copies(NamedTuple):
    """How many images show what another one does."""

    train: int  # training images, besides the first of each
    test: int  # test images, besides the first of each
    across: int  # test images of which there is one in training


@dataclass(frozen=True)
class DataReport:
    """What is known of a data set. Words are shown as they are; names of classes and files are the user's own."""

    name: str
    source: str
    digest: str
    version: str  # NAME@3, of a named data set
    height: int  # of every image in pixels
    width: int
    channels: int  # 1: grey, 3: red, green and blue
    classes: tuple[ClassCounts, ...]
    imbalance: float  # training images of the largest class for each of the smallest
    equal: Copies
    near: Copies | None  # nearly equal, besides those that are equal; None if it was not looked for them
    contradicting: int  # training images with another label than an equal one
    pixels: str
    sizes: str
    own_sizes: str
    test_part: str
    unreadable: tuple[str, ...]
    left_alone: tuple[str, ...]
    warnings: tuple[str, ...]
    command: str  # that trains on it

    @property
    def totals(self) -> ClassCounts:
        """Return the sums of all classes; its name says how many there are."""
        return ClassCounts(
            f"all {len(self.classes):,}",
            sum(each.train for each in self.classes),
            sum(each.validation for each in self.classes),
            sum(each.test for each in self.classes),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        named = {
            "classes": [each._asdict() for each in self.classes],
            "equal": self.equal._asdict(),
            "near": None if self.near is None else self.near._asdict(),
        }
        return asdict(self) | named

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DataReport":
        """Return what `to_json` made values of."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        fields["classes"] = tuple(ClassCounts(**each) for each in values["classes"])
        fields["equal"] = Copies(**values["equal"])
        fields["near"] = None if values["near"] is None else Copies(**values["near"])
        return cls(**fields)
