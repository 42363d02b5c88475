"""The state from which a training starts: its own checkpoint, the end of another training, or nothing."""

import logging
from dataclasses import replace
from pathlib import Path

from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer.checkpoint import Checkpoint, Progress, Weights
from mnist_models.trainer.setup import Setup

logger = logging.getLogger(__name__)


def resume(setup: Setup, file: Path, start: Path | None) -> tuple[Progress, Weights]:
    """Give the model and the optimiser the state in the checkpoint `file`, or else in that of `start`.

    `start` is the final checkpoint of the training that this one continues. Return the progress, and the weights at
    the best validation so far.
    """
    variables, optimizer = setup.model.variables, setup.optimizer.variables

    def fits(saved: Checkpoint) -> bool:
        return checkpoints.alike(variables, saved.model) and checkpoints.alike(optimizer, saved.optimizer)

    saved, damaged = checkpoints.load_latest(file, fits)
    for what in damaged:
        logger.warning("%s: %s; an earlier state is used", setup.recipe.name, what)
    if saved is not None:
        saved.progress.resumed_at.append(saved.progress.step)
        saved.progress.damaged += damaged
    elif start is not None:
        saved = replace(checkpoints.load(start), progress=Progress(damaged=damaged), best=[])
    else:
        return Progress(damaged=damaged), []
    checkpoints.assign(variables, saved.model)
    checkpoints.assign(optimizer, saved.optimizer)
    if setup.recipe.optimizer.schedule == "constant":  # it is among the variables; that of `start` may differ
        setup.optimizer.learning_rate = setup.recipe.optimizer.learning_rate
    return saved.progress, saved.best
