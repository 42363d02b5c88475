"""The notebook's recipes at a share of their length, which MNIST_NOTEBOOK_SHARE tells; a tenth without it."""

import os
from dataclasses import replace

from mnist_models.recipes import batchnorm_tanh, conv_net, deep_tanh, relu_dropout, softmax_regression
from mnist_models.training_run.schedules import total_steps

SHARE = float(os.environ.get("MNIST_NOTEBOOK_SHARE", "0.1"))
MODULES = (softmax_regression, relu_dropout, deep_tanh, batchnorm_tanh, conv_net)
RECIPES = tuple(
    replace(
        recipe,
        name=recipe.name + "_part",
        steps=max(1, round(total_steps(recipe, 55_000) * SHARE)),
        epochs=None,
        validations=max(1, round(recipe.validations * SHARE)),
        continues=recipe.continues and recipe.continues + "_part",
        diverges=False,
        suites=("notebook_part",),
        notebook_row=None,
    )
    for module in MODULES
    for recipe in module.RECIPES
)
