"""A recipe's training loop in this very process, as the trainer sets it up; import it before anything of Keras."""

import os
from dataclasses import replace

from mnist_models.trainer_pool.machine import machine

os.environ |= machine().environment(0)

import keras
import tensorflow as tf

from mnist_models.data.official.load import load_official
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer import setup
from mnist_models.trainer.setup import Setup
from mnist_models.training_run.job import Precision

__all__ = ["Setup", "keras", "set_up", "tf"]


def set_up(name: str, seed: int = 0, precision: Precision = "float32", steps: int | None = None) -> Setup:
    """Set up the training of a recipe on the official data, over so many steps if they are given."""
    recipe = find_recipe(name)
    if steps is not None:
        recipe = replace(recipe, steps=steps, epochs=None)
    return setup.set_up(recipe, load_official(), seed, precision)
