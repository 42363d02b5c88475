"""The compiled training loop: many steps per call, over images that stay on the device as uint8."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_models.recipe import Recipe
from mnist_models.trainer.augmentation import augment
from mnist_models.trainer.fused_batch_norm import with_fused_batch_norm
from mnist_models.trainer.half_batches import in_halves
from mnist_models.trainer.losses import LOSSES


class Stretch(NamedTuple):
    """What a call of the loop did. Fewer steps than asked for were done if it stopped at a NaN."""

    losses: NDArray[np.float32]  # [steps], mean per image, before each step's update
    accuracies: NDArray[np.float32]  # [steps], share of the batch, before each step's update
    bad_step: int  # the first step with a loss that is not finite, counted in this call; -1: none
    bad_variables: NDArray[np.bool_]  # [trainable variables], not finite after that step


class Loop:
    """Trains a model on device-resident data.

    Args:
        model: float32 [n, height, width, 1] in [0, 1] to logits [n, classes].
        optimizer: a Keras optimiser, built for the model's variables.
        recipe: batch size, loss, augmentation, whether to go on after a NaN.
        images: uint8 [n, height, width]; labels: int32 [n].
        seed: of the augmentation.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        recipe: Recipe,
        images: NDArray[np.uint8],
        labels: NDArray[np.int32],
        seed: int,
    ) -> None:
        self._images, self._labels = tf.constant(images), tf.constant(labels)
        indices = tf.TensorSpec([None, recipe.batch_size], tf.int32)
        first_step = tf.TensorSpec([], tf.int32)
        self._compiled = tf.function(self._steps, input_signature=[indices, first_step])
        self._model, self._optimizer, self._recipe, self._seed = model, optimizer, recipe, seed
        self._loss = LOSSES[recipe.loss]
        self._apply = in_halves(with_fused_batch_norm(model), recipe.batch_size)

    def run(self, batches: NDArray[np.int32], first_step: int) -> Stretch:
        """Train on the given batches of image indices [steps, batch size]; `first_step` is 0-based."""
        losses, accuracies, done, bad_step, bad_variables = self._compiled(batches, first_step)
        steps = int(done)
        return Stretch(losses.numpy()[:steps], accuracies.numpy()[:steps], int(bad_step), bad_variables.numpy())

    def _steps(self, batches: tf.Tensor, first_step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        count = tf.shape(batches)[0]
        variables = self._model.trainable_variables
        goes_on = tf.constant(self._recipe.diverges)

        def wanted(step, _losses, _accuracies, bad_step, _bad_variables):  # type: ignore[no-untyped-def]
            return (step < count) & (goes_on | (bad_step < 0))

        def body(step, losses, accuracies, bad_step, bad_variables):  # type: ignore[no-untyped-def]
            loss, accuracy = self._one_step(batches[step], first_step + step)

            def diagnose() -> tuple[tf.Tensor, tf.Tensor]:
                finite = [tf.reduce_all(tf.math.is_finite(variable)) for variable in variables]
                return step, tf.logical_not(tf.stack(finite))

            first_bad = (bad_step < 0) & tf.logical_not(tf.math.is_finite(loss))
            bad_step, bad_variables = tf.cond(first_bad, diagnose, lambda: (bad_step, bad_variables))
            return step + 1, losses.write(step, loss), accuracies.write(step, accuracy), bad_step, bad_variables

        start = (
            tf.constant(0),
            tf.TensorArray(tf.float32, count),
            tf.TensorArray(tf.float32, count),
            tf.constant(-1),
            tf.zeros([len(variables)], tf.bool),
        )
        done, losses, accuracies, bad_step, bad_variables = tf.while_loop(wanted, body, start)
        return losses.stack(), accuracies.stack(), done, bad_step, bad_variables

    def _one_step(self, indices: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        labels = tf.gather(self._labels, indices)
        images = tf.cast(tf.gather(self._images, indices)[..., None], tf.float32) / 255
        if self._recipe.augmentation is not None:
            images = augment(images, self._recipe.augmentation, tf.stack([self._seed, step]))
        with tf.GradientTape() as tape:
            logits = tf.cast(self._apply(images), tf.float32)
            classes, smoothing = logits.shape[-1], self._recipe.label_smoothing
            targets = tf.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
            minimised, loss = self._loss(targets, logits)
            scaled = self._optimizer.scale_loss(minimised)  # changes nothing except in float16
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, variables), variables)
        hits = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
        return loss, tf.reduce_mean(tf.cast(hits, tf.float32))
