"""From images in any form to answers in words: what a logged model does wherever it is loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.evaluation.temperature import tempered
from mnist_models.images.prepare import prepare_file
from mnist_models.serving.facts import ServingFacts
from mnist_models.serving.image_arrays import prepared_array
from mnist_models.serving.image_content import check_kind, opened_image

COLUMNS = ("label", "name", "probability", "problem", "probabilities")  # of an answer
IMAGE = "image"  # the column of a table, or the key, under which images come
AT_ONCE = 500  # images that the network gets at a time

Row = dict[str, Any]
"""An answer: all of COLUMNS; None stands for what there is not."""

Network = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Prepared images, uint8 [n, height, width], also with channels → probabilities, float32 [n, classes]."""


@dataclass(frozen=True)
class ServedModel:
    """A network with what stands before and behind it."""

    facts: ServingFacts
    network: Network
    read_paths: bool = False  # whether a text may be a path

    def answers(self, given: Any) -> list[Row]:
        """Return a row of COLUMNS for each image, in their order; a file that cannot be used has its problem told.

        `given` is an array of prepared images, or of image files: their bytes, these in base64, or their paths; it
        may stand under the key "image". Raise InvalidInput for anything else.
        """
        images = np.asarray(given[IMAGE] if isinstance(given, Mapping) else given)
        if not images.ndim:
            raise InvalidInput("image: give a batch, a list of images also for one.")
        if images.ndim == 1:
            return self._answers_to_files([each[()] if isinstance(each, np.ndarray) else each for each in images])
        return self._rows(prepared_array(images, self.facts.preparation))

    def _answers_to_files(self, files: Sequence[Any]) -> list[Row]:
        for number, file in enumerate(files):
            check_kind(file, number)
        rows: list[Row] = [{} for _ in files]
        usable: dict[int, npt.NDArray[np.uint8]] = {}
        for number, file in enumerate(files):
            try:
                content, name = opened_image(file, self.read_paths)
                with content:
                    usable[number] = prepare_file(content, name, self.facts.preparation).image
            except InvalidInput as error:
                rows[number] = _problem(str(error))
        if usable:
            answered = self._rows(np.stack([*usable.values()]))
            for number, row in zip(usable, answered, strict=True):
                rows[number] = row
        return rows

    def _rows(self, images: npt.NDArray[np.uint8]) -> list[Row]:
        parts = [self.network(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
        return [row for part in parts for row in self._answers(tempered(part, self.facts.temperature))]

    def _answers(self, probabilities: npt.NDArray[np.float32]) -> list[Row]:
        labels, names = predicted(probabilities).tolist(), self.facts.class_names
        finite = np.isfinite(probabilities.sum(axis=1)).tolist()
        return [
            {"label": label, "name": names[label], "probability": row[label], "problem": None, "probabilities": row}
            if known
            else _problem("the model gives no probabilities: they are not finite.")
            for label, row, known in zip(labels, probabilities.tolist(), finite, strict=True)
        ]


def _problem(text: str) -> Row:
    return dict.fromkeys(COLUMNS) | {"problem": text}
