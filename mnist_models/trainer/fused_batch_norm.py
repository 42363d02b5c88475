"""Batch normalisation as one kernel, where Keras composes it from a dozen that each pass over all activations."""

import keras
import tensorflow as tf
from keras import layers


class _Fused(layers.Layer):  # type: ignore[misc]
    """A batch normalisation in training mode: its own variables and formula, computed by TensorFlow's fused kernel."""

    def __init__(self, layer: layers.BatchNormalization) -> None:
        super().__init__(dtype=layer.dtype_policy)
        self.layer = layer

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise [n, …, channels] by the batch's own statistics, and move the running ones."""
        layer, channels = self.layer, inputs.shape[-1]
        rows = tf.reshape(inputs, [tf.shape(inputs)[0], -1, 1, channels])
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=rows, scale=layer.gamma.value, offset=layer.beta.value, mean=[], variance=[], epsilon=layer.epsilon
        )
        # The kernel's variance is the unbiased estimate; Keras keeps that of the batch itself.
        count = tf.cast(tf.size(rows) // channels, tf.float32)
        for running, new in (layer.moving_mean, mean), (layer.moving_variance, variance * (count - 1) / count):
            running.assign(running * layer.momentum + new * (1 - layer.momentum))
        return tf.reshape(normalised, tf.shape(inputs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The same."""
        return input_shape


def with_fused_batch_norm(model: keras.Model) -> keras.Model:
    """The same layers and variables, for training only, with the fused kernel wherever it computes what Keras does.

    Only sequential networks are rebuilt.
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
        and layer.epsilon > 1e-5  # the least that GPUs take
    )
