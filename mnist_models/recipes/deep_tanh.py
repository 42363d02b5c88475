"""Four hidden tanh layers, drawn from two initialisations: why the scale of the first weights matters."""

from dataclasses import replace
from typing import TYPE_CHECKING

from mnist_models.recipe import Optimizer, Recipe

if TYPE_CHECKING:
    import keras


def uniform_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from a uniform draw in ±0.05, which Keras calls "uniform": the signal shrinks layer by layer."""
    return network(shape, classes, "uniform")


def glorot_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from a scale that keeps the signal's variance (Glorot and Bengio, 2010)."""
    return network(shape, classes, "glorot_normal")


def network(shape: tuple[int, int, int], classes: int, initializer: str) -> "keras.Model":
    """Pixels → 4 × 100 tanh → logits, each layer drawn anew from Keras's `initializer`."""
    from keras import Input, Sequential, layers

    names = [f"hidden_{number}" for number in range(1, 5)]
    hidden = [layers.Dense(100, "tanh", kernel_initializer=initializer, name=name) for name in names]
    output = layers.Dense(classes, kernel_initializer=initializer, name="output")
    return Sequential([Input(shape), layers.Flatten(), *hidden, output], name="deep_tanh")


# Notebook row 5a: nearly flat for the first epochs, because the gradient hardly reaches the first layers.
UNIFORM = Recipe(
    name="deep_tanh_uniform",
    summary="Four tanh layers from uniform ±0.05: a slow start",
    network=uniform_network,
    loss="cross_entropy",
    optimizer=Optimizer("sgd", 0.01),
    batch_size=64,
    epochs=30,
    validations=30,
    study="initialisation",
    suites=("notebook",),
    notebook_row="5a",
    seconds=30,
)

RECIPES = (
    UNIFORM,
    # Notebook row 5b: far ahead from the first epoch, with nothing changed but the initial weights.
    replace(
        UNIFORM,
        name="deep_tanh_glorot",
        summary="The same from Glorot's initialisation: ahead at once",
        network=glorot_network,
        notebook_row="5b",
    ),
)
