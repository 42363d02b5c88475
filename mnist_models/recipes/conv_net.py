"""The notebook's convolutional net, with its own initial weights and with Keras's."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnist_models.recipe import Optimizer, Recipe

if TYPE_CHECKING:
    import keras


def notebook_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from truncated normal weights (σ = 0.1) and biases of 0.1, as the TensorFlow part does."""
    from keras.initializers import Constant, TruncatedNormal

    def start() -> dict[str, Any]:
        return {"kernel_initializer": TruncatedNormal(stddev=0.1), "bias_initializer": Constant(0.1)}

    return network(shape, classes, start)


def keras_network(shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Start from Keras's defaults: Glorot uniform weights, zero biases."""
    return network(shape, classes, dict)


def network(shape: tuple[int, int, int], classes: int, start: Callable[[], dict[str, Any]]) -> "keras.Model":
    """Conv 5×5×32, pool 2, conv 5×5×64, pool 2, dense 1024, dropout 0.5, logits; ReLU throughout.

    Each layer gets the initializers of its own `start()`, by the names of Keras's arguments.
    """
    from keras import Input, Sequential, layers

    stack = [
        Input(shape),
        layers.Conv2D(32, 5, padding="same", activation="relu", name="conv_1", **start()),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2D(64, 5, padding="same", activation="relu", name="conv_2", **start()),
        layers.MaxPooling2D(2, padding="same"),
        layers.Flatten(),
        layers.Dense(1024, activation="relu", name="hidden", **start()),
        layers.Dropout(0.5),
        layers.Dense(classes, name="output", **start()),
    ]
    return Sequential(stack, name="conv_net")


# Notebook row 8, which reports about 99 %. A tenth is held out already here, the same tenth that row 9
# selects on, so that no image which chooses row 9's checkpoint has ever been trained on.
KERAS = Recipe(
    name="keras_conv_net",
    summary="The same from Keras's defaults, Adam 1e-3: 99 %",
    network=keras_network,
    loss="cross_entropy",
    optimizer=Optimizer("adam", 1e-3),
    batch_size=64,
    epochs=10,
    validation_fraction=0.1,
    convolutional=True,
    suites=("notebook",),
    notebook_row="8",
    seconds=400,
)

RECIPES = (
    # Notebook row 7, which reports 99 %: ten thousand small steps.
    replace(
        KERAS,
        name="conv_net",
        summary="Two convolutions, a wide layer, Adam 1e-4: 99 %",
        network=notebook_network,
        optimizer=Optimizer("adam", 1e-4),
        epochs=None,
        steps=10000,
        validation_fraction=1 / 12,
        notebook_row="7",
        seconds=480,
    ),
    KERAS,
    # Notebook row 9, which reports 99.24 %, of the last weights. Here it is the kept checkpoint that counts.
    replace(
        KERAS,
        name="keras_conv_net_best",
        summary="Ten epochs more, the best checkpoint kept: 99.2 %",
        continues="keras_conv_net",
        keep="best",
        notebook_row="9",
    ),
)
