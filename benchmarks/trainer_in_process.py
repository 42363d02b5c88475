"""A recipe's training loop in this very process, as the trainer sets it up; import it before anything of Keras."""

import os
from dataclasses import dataclass

from mnist_models.trainer_pool.machine import machine

os.environ |= machine().environment(0)

import keras
import tensorflow as tf

from mnist_models.data.dataset import Dataset
from mnist_models.data.official.load import load_official
from mnist_models.data.split import stratified_split
from mnist_models.recipe import Recipe
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer.batch_order import DataOrder
from mnist_models.trainer.loop import Loop
from mnist_models.trainer.optimizers import build_optimizer
from mnist_models.trainer.training import POLICIES
from mnist_models.training_run.job import Precision

__all__ = ["InProcess", "keras", "set_up", "tf"]


@dataclass(frozen=True)
class InProcess:
    """What a training consists of."""

    recipe: Recipe
    data: Dataset
    model: keras.Model
    loop: Loop
    order: DataOrder
    steps: int

    def run(self, start: int, stop: int) -> int:
        """Train these steps; gives the first with a loss that is not finite, counted from 1, or 0."""
        bad = self.loop.run(self.order.batches(start, stop), start).bad_step
        return start + bad + 1 if bad >= 0 else 0


def set_up(name: str, seed: int = 0, precision: Precision = "float32", steps: int | None = None) -> InProcess:
    """In the trainer's own order, so that the same seed gives the same weights."""
    recipe, data = find_recipe(name), load_official()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(POLICIES[precision])
    training, _ = stratified_split(data.y_train, recipe.validation_fraction, seed)
    steps = steps or recipe.total_steps(len(training))
    model = recipe.network(data.image_shape, data.classes)
    optimizer = build_optimizer(recipe.optimizer, steps, precision)
    optimizer.build(model.trainable_variables)
    loop = Loop(model, optimizer, recipe, data.x_train[training], data.y_train[training], seed)
    return InProcess(recipe, data, model, loop, DataOrder(len(training), recipe.batch_size, seed, stream=0), steps)
