"""What the champion sees in image files, with its doubts, and with the problem of each file that cannot be used."""

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing

import numpy as np
from numpy.typing import NDArray

from mnist_models.evaluation.temperature import tempered
from mnist_models.images.prepare import Prepared
from mnist_models.images.prepare_file import Outcome
from mnist_models.images.preparers import Crew, prepared_files
from mnist_models.shown_text import as_unicode
from mnist_models.trainer_pool.hardware import cores
from tasks.flow_run.context import FlowRunContext
from tasks.progress.tally import Tally
from tasks.registry.image_champion import ImageChampion
from tasks.supervision.answer import EMPTY, UNSURE_BELOW, Row, answer
from tasks.supervision.model_inference import Predictor, opened_model

logger = logging.getLogger(__name__)

MOST_BYTES = 64_000_000  # of images that are held in memory, as small as the model wants them
MOST_AT_ONCE = 2000
PORTION_SECONDS = 10.0  # after which answers are given, so that a kill costs no more of them
MOST_WARNINGS = 100  # in Prefect's log; the rows have all problems


def predict_image_files(
    context: FlowRunContext, champion: ImageChampion, files: Sequence[str], tally: Tally
) -> Generator[Row, None, None]:
    """Yield a row for each file, in their order, as they come. Raise InvalidInput if the champion cannot be used."""
    crew = Crew(cores(), context.settings.state / "logs")
    outcomes = prepared_files(files, champion.preparation, crew, context.cancellation.check)
    model, warnings = _told_of(champion), 0
    with ExitStack() as stack:
        stack.enter_context(closing(outcomes))
        predict: Predictor | None = None
        names = iter(files)
        for portion in _portions(outcomes, champion, tally):
            images = [each.image for each in portion if isinstance(each, Prepared)]
            if images and predict is None:
                predict = stack.enter_context(opened_model(context, champion.registered))
            answers = iter(_answers(champion, predict, images))
            for outcome in portion:
                if isinstance(outcome, Prepared):
                    found = next(answers) | {"several_marks": outcome.marks > 1}
                else:
                    found, warnings = {"problem": outcome}, warnings + 1
                    if warnings <= MOST_WARNINGS:
                        logger.warning(outcome)
                yield {"file": as_unicode(next(names))} | EMPTY | found | model


def _told_of(champion: ImageChampion) -> Row:
    return {
        "model": champion.registered.name,
        "version": str(champion.registered.version),
        "recipe": champion.registered.tags.get("recipe"),
        "temperature": champion.temperature,
        "unsure_below": UNSURE_BELOW,
    }


def _portions(outcomes: Iterator[Outcome], champion: ImageChampion, tally: Tally) -> Iterator[list[Outcome]]:
    """Yield what has become of files in lists that take little memory, and little time."""
    height, width = champion.preparation.size
    most = max(1, min(MOST_AT_ONCE, MOST_BYTES // (height * width * champion.preparation.channels)))
    portion: list[Outcome] = []
    ends = time.monotonic() + PORTION_SECONDS
    for outcome in outcomes:
        portion.append(outcome)
        tally.count()
        if len(portion) >= most or time.monotonic() >= ends:
            yield portion
            portion, ends = [], time.monotonic() + PORTION_SECONDS
    if portion:
        yield portion


def _answers(champion: ImageChampion, predict: Predictor | None, images: Sequence[NDArray[np.uint8]]) -> Iterator[Row]:
    if predict is None or not images:
        return
    for probabilities in tempered(predict(np.stack(images)), champion.temperature or 1.0):
        yield answer(probabilities, champion.class_name)
