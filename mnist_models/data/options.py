"""What a user can say of how data are to be read."""

import json
from dataclasses import asdict, dataclass

from mnist_models.errors import InvalidInput

SIDES = (16, 224)  # smallest and largest height and width of an image, in pixels


@dataclass(frozen=True)
class DataOptions:
    """Raise InvalidInput for what is not allowed."""

    image_size: int = 0  # side in pixels to which all images are brought; 0: as they are, or their median
    crop: bool = False  # cut the middle out instead of adding margins
    transposed: bool = False  # rows and columns are exchanged, as in EMNIST's files
    unreadable: float = 0.05  # share of image files that may be unreadable

    def __post_init__(self) -> None:
        """Refuse what is not allowed."""
        low, high = SIDES
        if self.image_size and not low <= self.image_size <= high:
            raise InvalidInput(
                f"image_size: {self.image_size} is not allowed; give a side of {low} to {high} pixels, or 0 for the"
                " images' own."
            )

    def to_json(self) -> str:
        """Return it as a JSON object on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "DataOptions":
        """Return what `to_json` encoded."""
        return cls(**json.loads(text))
