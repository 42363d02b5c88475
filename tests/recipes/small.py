"""Small recipes for tests, as users can have them in a folder of their own."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from mnist_models.recipe import Optimizer
from mnist_models.recipes.conv_net import KERAS
from mnist_models.recipes.relu_dropout import NAIVE

KILLS = Path("kills")  # in the current folder: how many more times `small_mortal` is to be killed


def network(shape, classes):
    """One hidden layer."""
    from mnist_models.recipes.relu_dropout import network

    return network(shape, classes)


def broken_network(shape, classes):
    """Raise."""
    raise RuntimeError("this network cannot be built")


def greedy_network(shape, classes):
    """Raise what TensorFlow raises when a GPU's memory is exhausted."""
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[4096,28,28,64]")


def mortal_network(shape, classes):
    """The same as `network`, in a process that is killed once it has written a checkpoint, while `KILLS` is above 0."""
    from mnist_models.trainer import checkpoint

    save = checkpoint.save

    def save_and_die(*arguments):
        save(*arguments)
        left = int(KILLS.read_text())
        if left:
            KILLS.write_text(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.save = save_and_die
    return network(shape, classes)


SMALL = replace(
    NAIVE,
    name="small",
    summary="Small",
    network=network,
    loss="cross_entropy",
    batch_size=20,
    steps=40,
    validations=4,
    validation_fraction=0.2,
    suites=("small",),
    notebook_row=None,
    study="smallness",
    seconds=1,
)
ALONE = replace(SMALL, suites=(), study=None)
DIVERGING = replace(ALONE, loss="naive_cross_entropy", optimizer=Optimizer("sgd", 500.0))
RECIPES = (
    SMALL,
    replace(SMALL, name="small_best", summary="Small, on", continues="small", keep="best"),
    replace(DIVERGING, name="small_diverged", summary="Small, to NaN", diverges=True, suites=("small",)),
    replace(DIVERGING, name="small_surprise", summary="Small, to NaN"),
    replace(ALONE, name="small_broken", summary="Small, broken", network=broken_network),
    replace(ALONE, name="small_greedy", summary="Small, greedy", network=greedy_network),
    replace(ALONE, name="small_mortal", summary="Small, mortal", network=mortal_network),
    replace(ALONE, name="small_orphan", summary="Small, orphaned", continues="small_broken"),
    replace(
        KERAS, name="small_conv", summary="Small, convolutional", epochs=None, steps=20, suites=(), notebook_row=None
    ),
    replace(ALONE, name="small_long", summary="Small, long", steps=20_000, validations=20),
    replace(ALONE, name="small_endless", summary="Small, on and on", steps=5_000_000),
    replace(ALONE, name="small_patient", summary="Small, often saved", steps=5_000_000, validations=5_000),
)
