"""The opponent: all rows of the notebook in one plain Keras script, as one writes it without a pipeline.

One process, `fit`, float32, all cores, no tracking. The same networks, losses, batches and numbers of steps
as the recipes; it shares no code with them but the reading of the data.

python benchmarks/plain_script.py [--fraction 0.1]
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, optimizers

from mnist_models.data.official.load import load_official

IMAGES = (28, 28, 1)
NORMAL = {
    "kernel_initializer": initializers.TruncatedNormal(stddev=0.1, seed=1),
    "bias_initializer": initializers.TruncatedNormal(stddev=0.1, seed=2),
}


class Data:
    """Images as float32 [n, 28, 28, 1] in [0, 1], labels one-hot."""

    def __init__(self):
        data = load_official()
        x = data.x_train[..., None].astype("float32") / 255
        y = keras.utils.to_categorical(data.y_train)
        self.x, self.x_validation = x[:55_000], x[55_000:]
        self.y, self.y_validation = y[:55_000], y[55_000:]
        self.x_test, self.y_test = (
            data.x_test[..., None].astype("float32") / 255,
            keras.utils.to_categorical(data.y_test),
        )


def fit(model, data, batch, steps, validate=False, callbacks=None):
    """Train for that many steps: whole epochs, then a part of one."""
    epochs, rest = divmod(steps * batch, len(data.x))
    validation = (data.x_validation, data.y_validation) if validate else None
    options = {"batch_size": batch, "verbose": 0, "callbacks": callbacks}
    if epochs:
        model.fit(data.x, data.y, epochs=epochs, validation_data=validation, **options)
    if rest:
        some = np.random.permutation(len(data.x))[:rest]
        model.fit(data.x[some], data.y[some], validation_data=validation, **options)
    return model


def epochs(number, batch, images=55_000):
    """The steps of that many epochs."""
    return math.ceil(number * images / batch)


CONV_NET_STEPS = epochs(10, 64, images=54_000)  # as many as the pipeline's, which hold out a tenth in these rows


def naive_cross_entropy(targets, probabilities):
    """As the notebook's TensorFlow part has it."""
    return tf.reduce_mean(-tf.reduce_sum(targets * tf.math.log(probabilities), axis=1))


def summed_sigmoid(targets, logits):
    """Sigmoid cross-entropies of all classes and images, added up."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def compiled(network, loss, optimizer):
    """A model of these layers, ready for `fit`."""
    model = keras.Sequential([keras.Input(IMAGES), *network])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


LOGITS = keras.losses.CategoricalCrossentropy(from_logits=True)


def softmax_regression(data, share, _models):
    """Row 1."""
    network = [layers.Flatten(), layers.Dense(10, activation="softmax", kernel_initializer="zeros")]
    return fit(compiled(network, "categorical_crossentropy", optimizers.SGD(0.1)), data, 100, round(1000 * share))


def _relu_dropout(last):
    return [
        layers.Flatten(),
        layers.Dense(100, activation="relu", **NORMAL),
        layers.Dropout(0.5),
        layers.Dense(10, activation=last, kernel_initializer="zeros"),
    ]


def relu_dropout_naive(data, share, _models):
    """Row 2."""
    model = compiled(_relu_dropout("softmax"), naive_cross_entropy, optimizers.SGD(0.5))
    return fit(model, data, 100, round(2000 * share))


def relu_dropout_diverged(data, share, models):
    """Row 3 goes on with row 2's model."""
    return fit(models["relu_dropout_naive"], data, 100, round(3000 * share))


def relu_dropout_stable(data, share, _models):
    """Row 4."""
    return fit(compiled(_relu_dropout(None), LOGITS, optimizers.SGD(0.5)), data, 100, round(2000 * share))


def _deep_tanh(start, data, share):
    hidden = [layers.Dense(100, activation="tanh", kernel_initializer=start()) for _ in range(4)]
    network = [layers.Flatten(), *hidden, layers.Dense(10, activation="softmax", kernel_initializer=start())]
    model = compiled(network, "categorical_crossentropy", optimizers.SGD(0.01))
    return fit(model, data, 64, round(epochs(30, 64) * share), validate=True)


def deep_tanh_uniform(data, share, _models):
    """Row 5a."""
    return _deep_tanh(initializers.RandomUniform, data, share)


def deep_tanh_glorot(data, share, _models):
    """Row 5b."""
    return _deep_tanh(initializers.GlorotNormal, data, share)


def batchnorm_tanh(data, share, _models):
    """Row 6."""
    network = [
        layers.Flatten(),
        layers.Dense(100, activation="tanh", **NORMAL),
        layers.BatchNormalization(epsilon=1e-3),
        layers.Dense(100, activation="tanh", **NORMAL),
        layers.Dense(10, activation="tanh", **NORMAL),
    ]
    return fit(compiled(network, summed_sigmoid, optimizers.SGD(0.01)), data, 100, round(2000 * share))


def _conv_net(optimizer, loss, last, **start):
    network = [
        layers.Conv2D(32, 5, padding="same", activation="relu", **start),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 5, padding="same", activation="relu", **start),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(1024, activation="relu", **start),
        layers.Dropout(0.5),
        layers.Dense(10, activation=last, **start),
    ]
    return compiled(network, loss, optimizer)


def conv_net(data, share, _models):
    """Row 7."""
    start = {
        "kernel_initializer": initializers.TruncatedNormal(stddev=0.1, seed=3),
        "bias_initializer": initializers.Constant(0.1),
    }
    return fit(_conv_net(optimizers.Adam(1e-4), LOGITS, None, **start), data, 64, round(10_000 * share))


def keras_conv_net(data, share, _models):
    """Row 8."""
    model = _conv_net(optimizers.Adam(), "categorical_crossentropy", "softmax")
    return fit(model, data, 64, round(CONV_NET_STEPS * share), validate=True)


def keras_conv_net_best(data, share, models):
    """Row 9 goes on with row 8's model, and keeps the best checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "best.weights.h5"
        keep = keras.callbacks.ModelCheckpoint(
            file, monitor="val_accuracy", save_best_only=True, save_weights_only=True, mode="max"
        )
        steps = round(CONV_NET_STEPS * share)
        model = fit(models["keras_conv_net"], data, 64, steps, validate=True, callbacks=[keep])
        model.load_weights(file)
    return model


ROWS = (
    softmax_regression,
    relu_dropout_naive,
    relu_dropout_diverged,
    relu_dropout_stable,
    deep_tanh_uniform,
    deep_tanh_glorot,
    batchnorm_tanh,
    conv_net,
    keras_conv_net,
    keras_conv_net_best,
)


def main():
    """Train every row, and print its accuracy on the test set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fraction", type=float, default=1.0, help="of the steps of each row")
    share = parser.parse_args().fraction
    keras.utils.set_random_seed(0)
    data, models = Data(), {}
    for row in ROWS:
        began = time.monotonic()
        models[row.__name__] = model = row(data, share, models)
        accuracy = model.evaluate(data.x_test, data.y_test, verbose=0)[1]
        print(f"{row.__name__}: {accuracy:.2%} in {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
