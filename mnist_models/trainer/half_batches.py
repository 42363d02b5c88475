"""A network applied to the two halves of a batch side by side, as far as the halves do not meet.

A trainer computes each operation with one thread, so that its result does not depend on how many cores are free.
Operations that do not wait for one another can still run at the same time, and the halves of a batch are such
operations: a training that has two cores to itself uses both, and gives the same weights as one that has to share.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers

SEPARATE = (layers.Conv2D, layers.MaxPooling2D, layers.AveragePooling2D, layers.ReLU, layers.Activation)
"""Layers that treat each image by itself, and draw nothing at random."""


def in_halves(model: keras.Model, batch_size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """The model in training mode, with its convolutional part in halves if that part consists of such layers only.

    The result takes float32 [batch_size, height, width, 1] and gives what the model gives. On a GPU, which a whole
    batch fills better, nothing is split.
    """

    def whole(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=True)

    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    if on_gpu or not isinstance(model, keras.Sequential) or batch_size % 2:
        return whole
    flatten = next((number for number, layer in enumerate(model.layers) if isinstance(layer, layers.Flatten)), 0)
    separate, rest = model.layers[:flatten], model.layers[flatten:]
    convolves = any(isinstance(layer, layers.Conv2D) for layer in separate)
    if not convolves or not all(type(layer) in SEPARATE for layer in separate):
        return whole
    before = keras.Sequential([keras.Input(model.input_shape[1:]), *separate])
    after = keras.Sequential([keras.Input(before.output_shape[1:]), *rest])

    def apply(images: tf.Tensor) -> tf.Tensor:
        features = tf.concat([before(half, training=True) for half in tf.split(images, 2)], axis=0)
        return after(features, training=True)

    return apply
