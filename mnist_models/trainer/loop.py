"""The compiled training loop: many steps per call, over images that stay on the device as uint8.

Images that are mapped from files take memory only as far as the system has some to spare. Where they do not fit a GPU,
they stay beside it, and each batch is gathered there: the loop does that ahead of the step that needs it.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_models.metric_names import TRAIN_ACCURACY, TRAIN_LOSS
from mnist_models.recipe import Recipe
from mnist_models.trainer.augmentation import augment
from mnist_models.trainer.fused_batch_norm import with_fused_batch_norm
from mnist_models.trainer.half_batches import in_half_batches
from mnist_models.trainer.inference import to_device
from mnist_models.trainer.losses import LOSSES

STEP_METRICS = (TRAIN_LOSS, TRAIN_ACCURACY)  # what is measured at each step; `Loop._one_step` computes it


class Stretch(NamedTuple):
    """The results of one call of the loop, which may stop before its last step at a NaN."""

    steps: int
    metrics: dict[str, NDArray[np.float32]]  # each [steps], of the batch, before each step's update
    bad_step: int  # the first step with a loss that is not finite, counted in this call; -1: none
    bad_variables: NDArray[np.bool_]  # [trainable variables], not finite after that step


class Loop:
    """Trains a model, float32 [n, height, width, channels] in [0, 1] to logits [n, classes], by its built optimiser.

    Images, uint8 [n, height, width] or with an axis for channels, and labels, int32 [n], stay on the device. The recipe
    gives batch size, loss, augmentation, and whether to go on after a NaN; the seed is that of the augmentation.
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
        self._images = _placed(images.reshape(-1, *model.input_shape[1:]))
        self._labels = to_device(labels)
        indices = tf.TensorSpec([None, recipe.batch_size], tf.int32)
        first_step = tf.TensorSpec([], tf.int32)
        self._compiled = tf.function(self._steps, input_signature=[indices, first_step], autograph=False)
        self._model, self._optimizer, self._recipe, self._seed = model, optimizer, recipe, seed
        self._loss = LOSSES[recipe.loss]
        self._apply = in_half_batches(with_fused_batch_norm(model), recipe.batch_size)

    def run(self, batches: NDArray[np.int32], first_step: int) -> Stretch:
        """Train on the given batches of image indices [steps, batch size]; `first_step` is 0-based."""
        done, metrics, bad_step, bad_variables = self._compiled(batches, first_step)
        steps = int(done)
        measured = {name: values.numpy()[:steps] for name, values in metrics.items()}
        return Stretch(steps, measured, int(bad_step), bad_variables.numpy())

    def _steps(self, batches: tf.Tensor, first_step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        count = tf.shape(batches)[0]
        variables = self._model.trainable_variables
        ignores_nan = tf.constant(self._recipe.diverges)

        def goes_on(step, _metrics, bad_step, _bad_variables):  # type: ignore[no-untyped-def]
            return (step < count) & (ignores_nan | (bad_step < 0))

        def body(step, metrics, bad_step, bad_variables):  # type: ignore[no-untyped-def]
            measured = self._one_step(batches[step], first_step + step)

            def diagnose() -> tuple[tf.Tensor, tf.Tensor]:
                finite = [tf.reduce_all(tf.math.is_finite(variable)) for variable in variables]
                return step, tf.logical_not(tf.stack(finite))

            first_bad = (bad_step < 0) & tf.logical_not(tf.math.is_finite(measured[TRAIN_LOSS]))
            bad_step, bad_variables = tf.cond(first_bad, diagnose, lambda: (bad_step, bad_variables))
            metrics = {name: values.write(step, measured[name]) for name, values in metrics.items()}
            return step + 1, metrics, bad_step, bad_variables

        empty = {name: tf.TensorArray(tf.float32, count) for name in STEP_METRICS}
        start = (tf.constant(0), empty, tf.constant(-1), tf.zeros([len(variables)], tf.bool))
        done, metrics, bad_step, bad_variables = tf.while_loop(goes_on, body, start)
        return done, {name: values.stack() for name, values in metrics.items()}, bad_step, bad_variables

    def _one_step(self, indices: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        labels = tf.gather(self._labels, indices)
        with tf.device(self._images.device):  # or all images would be moved to where the batch is used
            batch = tf.gather(self._images, indices)
        images = tf.cast(batch, tf.float32) / 255
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
        return {TRAIN_LOSS: loss, TRAIN_ACCURACY: tf.reduce_mean(tf.cast(hits, tf.float32))}


def _placed(images: NDArray[np.uint8]) -> tf.Tensor:
    """Return the images on the device, or beside it if it has no room for them."""
    try:
        return to_device(images)
    except tf.errors.ResourceExhaustedError:
        with tf.device("CPU:0"):
            return to_device(images)
