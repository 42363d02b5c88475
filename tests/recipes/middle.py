"""A recipe that trains for a second or two, with a checkpoint every 400 steps: long enough to be hit meanwhile."""

from dataclasses import replace

from mnist_models.recipes.small import SMALL

RECIPES = (replace(SMALL, name="middle", summary="Small, middling", steps=8_000, validations=20, suites=()),)
