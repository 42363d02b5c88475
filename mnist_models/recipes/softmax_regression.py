"""A linear model: the floor that every other architecture has to beat."""

from typing import TYPE_CHECKING

from mnist_models.recipe import Optimizer, Recipe

if TYPE_CHECKING:
    import keras


def network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """One dense layer from all pixels to the logits, starting from zeros."""
    from keras import Input, Sequential, layers

    output = layers.Dense(classes, kernel_initializer="zeros", bias_initializer="zeros", name="output")
    return Sequential([Input(shape), layers.Flatten(), output], name="softmax_regression")


RECIPES = (
    # Notebook row 1. It reports about 91 %; a linear model stops near 91-92 %, however long it trains.
    Recipe(
        name="softmax_regression",
        summary="A linear model: stops near 91-92 %",
        network=network,
        loss="cross_entropy",
        optimizer=Optimizer("sgd", 0.1),
        batch_size=100,
        steps=1000,
        suites=("quick", "notebook"),
        notebook_row="1",
        seconds=2,
    ),
)
