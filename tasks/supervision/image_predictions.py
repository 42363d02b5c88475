"""What the champion sees in image files, with its doubts, and with the problem of each file that cannot be used."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.temperature import tempered
from mnist_models.images.prepare import Preparation, Prepared, prepare_file
from mnist_models.images.read import opened
from mnist_models.shown_text import as_unicode, on_screen
from tasks.flow_run.context import FlowRunContext
from tasks.registry.image_champion import ImageChampion
from tasks.supervision.model_inference import predict_images

logger = logging.getLogger(__name__)

UNSURE_BELOW = 0.95  # a calibrated probability that is less is a doubt worth telling
AT_ONCE = 5000  # images that are held in memory, as small as the model wants them

Row = dict[str, Any]
"""An answer or a problem, JSON-able: all keys of EMPTY, and those of the model."""

EMPTY: Row = {
    "label": None,
    "probability": None,
    "runner_up": None,
    "runner_up_probability": None,
    "problem": None,
    "unsure": None,
    "several_marks": None,
    "probabilities": None,
}


def prepared_file(file: Path, preparation: Preparation) -> Prepared:
    """Return a file's picture as an image of the data set; raise InvalidInput, with the file's name, if it is none."""
    with opened(file) as content:
        return prepare_file(content, on_screen(file.name), preparation)


def predict_image_files(context: FlowRunContext, champion: ImageChampion, files: Sequence[str]) -> list[Row]:
    """Return a row for each file, in their order. Raise InvalidInput if the champion cannot be used."""
    parts = (files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE))
    return [row for part in parts for row in _predict_some(context, champion, part)]


def _predict_some(context: FlowRunContext, champion: ImageChampion, files: Sequence[str]) -> Iterator[Row]:
    usable: dict[int, Prepared] = {}
    problems: dict[int, str] = {}
    for number, file in enumerate(files):
        context.cancellation.check()
        try:
            usable[number] = prepared_file(Path(file), champion.preparation)
        except InvalidInput as error:
            problems[number] = str(error)
            logger.warning(problems[number])
    answers: dict[int, Row] = {}
    if usable:
        images = np.stack([each.image for each in usable.values()])
        raw = predict_images(context, champion.registered, images)
        probabilities = tempered(raw, champion.temperature or 1.0)
        for (number, prepared), each in zip(usable.items(), probabilities, strict=True):
            answers[number] = _answer(each) | {"several_marks": prepared.marks > 1}
    model = {
        "model": champion.registered.name,
        "version": str(champion.registered.version),
        "recipe": champion.registered.tags.get("recipe"),
        "temperature": champion.temperature,
        "unsure_below": UNSURE_BELOW,
    }
    for number, file in enumerate(files):
        found = answers.get(number) or {"problem": problems[number]}
        yield {"file": as_unicode(file)} | EMPTY | found | model


def _answer(probabilities: NDArray[np.float32]) -> Row:
    first, second = (int(each) for each in np.argsort(-probabilities)[:2])
    highest = float(probabilities[first])
    return {
        "label": first,
        "probability": round(highest, 4),
        "runner_up": second,
        "runner_up_probability": round(float(probabilities[second]), 4),
        "unsure": not highest >= UNSURE_BELOW,
        "probabilities": [round(float(each), 4) for each in probabilities],
    }


def doubt(row: Row) -> str:
    """Return in words what is to be doubted of an answer; empty if nothing is."""
    doubts = {"unsure": row["unsure"], "several marks": row["several_marks"]}
    return ", ".join(name for name, holds in doubts.items() if holds)
