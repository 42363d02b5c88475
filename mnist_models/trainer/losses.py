"""The losses that a recipe can name."""

from collections.abc import Callable

import tensorflow as tf

from mnist_models.recipe import Loss

LossFunction = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""(targets, logits), both float32 [batch, classes] → (the minimised loss, the logged mean per image), both scalars."""


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean softmax cross-entropy, computed from the logits: never overflows."""
    # The kernel that tf.nn's function calls, without the reshapes around it, which take longer.
    per_image, _ = tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=targets)
    mean = tf.reduce_mean(per_image)
    return mean, mean


def naive_cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean of -Σ y·log(softmax): NaN as soon as a probability rounds to zero, as in the notebook."""
    mean = tf.reduce_mean(-tf.reduce_sum(targets * tf.math.log(tf.nn.softmax(logits)), axis=1))
    return mean, mean


def summed_sigmoid_cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sigmoid cross-entropy of each class against the others, summed over batch and classes."""
    per_image = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), axis=1)
    return tf.reduce_sum(per_image), tf.reduce_mean(per_image)


LOSSES: dict[Loss, LossFunction] = {
    "cross_entropy": cross_entropy,
    "naive_cross_entropy": naive_cross_entropy,
    "summed_sigmoid_cross_entropy": summed_sigmoid_cross_entropy,
}
