"""What a training consists of before its first step, and the state from which it starts."""

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_models.data.dataset import Dataset
from mnist_models.data.split import validation_split
from mnist_models.recipe import Recipe
from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer.batch_order import BatchOrder
from mnist_models.trainer.checkpoint import Checkpoint, Progress, Weights
from mnist_models.trainer.inference import served_model
from mnist_models.trainer.loop import Loop, Stretch
from mnist_models.trainer.model_file import refuse_code
from mnist_models.trainer.optimizers import build_optimizer
from mnist_models.training_run.job import Precision
from mnist_models.training_run.schedules import total_steps

logger = logging.getLogger(__name__)

POLICIES: dict[Precision, str] = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Setup:
    """A network with its optimiser, its data and their order; `run` trains it."""

    recipe: Recipe
    data: Dataset
    training_indices: NDArray[np.int32]  # into the training images: those that are trained on
    validation_indices: NDArray[np.int64]  # and those that are held out
    steps: int
    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    loop: Loop
    order: BatchOrder

    def run(self, start: int, stop: int) -> Stretch:
        """Train the steps [start, stop), 0-based."""
        return self.loop.run(self.training_indices[self.order.batches(start, stop)], start)

    @cached_property
    def validation(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """The images that are held out, uint8 [n, height, width], and their labels, int32 [n]."""
        return self.data.x_train[self.validation_indices], self.data.y_train[self.validation_indices]

    def served(self, weights: Weights) -> keras.Model:
        """Return the `served_model` with these weights."""
        return served_model(self.recipe, self.data.image_shape, self.data.classes, weights)


def set_up(recipe: Recipe, data: Dataset, seed: int, precision: Precision) -> Setup:
    """Build everything in one fixed order, so that the same seed gives the same weights; see also `refuse_code`."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(POLICIES[precision])
    training, validation = validation_split(data, recipe.validation_fraction, seed)
    steps = total_steps(recipe, len(training))
    model = recipe.network(data.image_shape, data.classes)
    refuse_code(model, recipe.name)
    optimizer = build_optimizer(recipe.optimizer, steps, precision)
    optimizer.build(model.trainable_variables)
    loop = Loop(model, optimizer, recipe, data.x_train, data.y_train, seed)
    order = BatchOrder(len(training), recipe.batch_size, seed, stream=1 if recipe.continues else 0)
    return Setup(recipe, data, training.astype(np.int32), validation, steps, model, optimizer, loop, order)


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
