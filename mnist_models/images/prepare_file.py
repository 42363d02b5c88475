"""Image files, prepared like the images of a data set."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation, Prepared, prepare_file
from mnist_models.images.read import opened
from mnist_models.shown_text import on_screen

Outcome = Prepared | str
"""What has become of a file: an image, or why it cannot be used, a sentence."""


def prepared_file(file: Path, preparation: Preparation) -> Prepared:
    """Return a file's picture as an image of the data set; raise InvalidInput, with the file's name, if it is none."""
    with opened(file) as content:
        return prepare_file(content, on_screen(file.name), preparation)


def outcome_of(file: str, preparation: Preparation) -> Outcome:
    """Return `prepared_file`, or what it raises as a sentence."""
    try:
        return prepared_file(Path(file), preparation)
    except InvalidInput as error:
        return str(error)


@dataclass(frozen=True)
class PrepareJob:
    """Some files that a process prepares, in a form that fits on one line of JSON."""

    files: list[str]
    preparation: str  # as JSON
    output: str  # .npz to write: what `read_outcomes` reads

    def to_line(self) -> str:
        """Encode it for the standard input of a process."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "PrepareJob":
        """Return what `to_line` encoded."""
        return cls(**json.loads(line))

    def do(self) -> None:
        """Prepare the files and write what has become of them."""
        preparation = Preparation.from_json(self.preparation)
        outcomes = [outcome_of(file, preparation) for file in self.files]
        images = [each.image for each in outcomes if isinstance(each, Prepared)]
        problems = [each if isinstance(each, str) else "" for each in outcomes]
        marks = [0 if isinstance(each, str) else each.marks for each in outcomes]
        np.savez(self.output, images=np.array(images, np.uint8), marks=marks, problems=problems)


def read_outcomes(file: Path) -> Sequence[Outcome]:
    """Return what `PrepareJob.do` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        images, marks, problems = iter(arrays["images"]), arrays["marks"].tolist(), arrays["problems"].tolist()
    return [problem or Prepared(next(images), count) for problem, count in zip(problems, marks, strict=True)]
