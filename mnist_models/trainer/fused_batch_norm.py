"""Batch normalisation as one kernel; Keras uses a dozen, and each of them reads and writes all activations."""

import keras
import tensorflow as tf
from keras import layers


class _Fused(layers.Layer):  # type: ignore[misc]
    """A Keras batch normalisation in training mode: its variables and formula, in TensorFlow's fused kernel."""

    def __init__(self, layer: layers.BatchNormalization) -> None:
        super().__init__(dtype=layer.dtype_policy)
        self.layer = layer

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise [n, …, channels] by the batch's own statistics, and update the running ones."""
        layer, channels = self.layer, inputs.shape[-1]
        rows = tf.reshape(inputs, [tf.shape(inputs)[0], -1, 1, channels])
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=rows, scale=layer.gamma.value, offset=layer.beta.value, mean=[], variance=[], epsilon=layer.epsilon
        )
        # The kernel gives the unbiased estimate of the variance; Keras uses the variance of the batch itself.
        count = tf.cast(tf.size(rows) // channels, tf.float32)
        for running, new in (layer.moving_mean, mean), (layer.moving_variance, variance * (count - 1) / count):
            running.assign(running * layer.momentum + new * (1 - layer.momentum))
        return tf.reshape(normalised, tf.shape(inputs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape


def with_fused_batch_norm(model: keras.Model) -> keras.Model:
    """Return a model of the same layers and variables, for training only, with the fused kernel where that is equal.

    Networks that are not sequential are returned as they are.
    """
    if not isinstance(model, keras.Sequential) or not any(_fits(layer) for layer in model.layers):
        return model
    rebuilt = [_Fused(layer) if _fits(layer) else layer for layer in model.layers]
    return keras.Sequential([keras.Input(model.input_shape[1:]), *rebuilt])


def _fits(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.BatchNormalization
        and layer.axis in (-1, len(layer.input.shape) - 1)
        and bool(layer.trainable and layer.scale and layer.center and not layer.renorm)
        and layer.epsilon > 1e-5  # GPUs accept no less
    )
