"""A network applied to the two halves of a batch in parallel, in those layers that treat each image by itself.

A trainer computes each operation with one thread, so that its result does not depend on how many cores are free.
Operations that do not depend on one another can still run at the same time, and the two halves of a batch are such
operations: a training that has two cores uses both, and gives the same weights as one that has a single core.
"""

from collections.abc import Callable
from functools import partial

import keras
import tensorflow as tf
from keras import layers

SEPARATE = (layers.Conv2D, layers.MaxPooling2D, layers.AveragePooling2D, layers.ReLU, layers.Activation)
"""Layers that treat each image by itself and draw no random numbers."""


def in_half_batches(model: keras.Model, batch_size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the model in training mode, its convolutional part in halves if that has `SEPARATE` layers only.

    The result takes float32 [batch_size, height, width, channels] and gives what the model gives. On a GPU, which a
    whole batch fills better, nothing is split.
    """
    whole = partial(model, training=True)
    if tf.config.list_physical_devices("GPU") or not isinstance(model, keras.Sequential) or batch_size % 2:
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
