"""Four hidden tanh layers, drawn from two initialisations: why the scale of the first weights matters."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mnist_models.recipe import Optimizer, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras


def uniform_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from a uniform draw in ±0.05, which Keras calls "uniform": the signal shrinks layer by layer."""
    from keras import initializers

    return network(shape, classes, partial(initializers.RandomUniform, -0.05, 0.05))


def glorot_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from a scale that keeps the signal's variance (Glorot and Bengio, 2010)."""
    from keras import initializers

    return network(shape, classes, initializers.GlorotNormal)


def network(shape: tuple[int, int, int], classes: int, initializer: "Callable[[], keras.Initializer]") -> "keras.Model":
    """Pixels → 4 × 100 tanh → logits, each layer drawn from its own `initializer()`."""
    import keras
    from keras import layers

    hidden = [
        layers.Dense(100, activation="tanh", kernel_initializer=initializer(), name=f"hidden_{number}")
        for number in range(1, 5)
    ]
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Flatten(),
            *hidden,
            layers.Dense(classes, kernel_initializer=initializer(), name="output"),
        ],
        name="deep_tanh",
    )


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
