"""Models as they are saved and served, and their predictions."""

import json
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from mnist_models.atomic import atomic_path
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.recipe import Recipe
from mnist_models.trainer.checkpoint import Weights
from mnist_models.trainer.model_file import load_model
from mnist_models.training_run.job import PredictJob
from mnist_models.training_run.run_directory import RunDirectory

BATCH = 500
MOST_BYTES = 2**26  # of images that are predicted in one call, and perhaps copied for it

Predictor = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images, uint8 [n, height, width], also with channels → scores, float32 [n, classes]."""


def served_model(recipe: Recipe, shape: tuple[int, int, int], classes: int, weights: Weights) -> keras.Model:
    """Return the trained network from pixels to probabilities, in float32 whatever it was trained in.

    It takes uint8 [n, height, width], 0 = background, with an axis for channels only where there are several, and
    gives float32 [n, classes] that sum to 1.
    """
    keras.config.set_dtype_policy("float32")
    network = recipe.network(shape, classes)
    network.set_weights(weights)
    images = keras.Input(shape[:2] if shape[2] == 1 else shape, dtype="uint8", name="images")
    before, after = [layers.Reshape(shape), layers.Rescaling(1 / 255)], layers.Softmax(name="probabilities")
    return keras.Sequential([images, *before, network, after], name=recipe.name)


def save_model(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file; an interruption leaves no part of it."""
    with atomic_path(path) as temporary:
        model.save(temporary)


def to_device(array: NDArray[np.generic]) -> tf.Tensor:
    """Return the array as a tensor that shares its memory if it is on the CPU; `tf.constant` would make a copy."""
    return tf.raw_ops.Identity(input=array)


def accuracy(scores: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Return the share of images whose label has the greatest score."""
    return float(np.mean(predicted(scores) == labels))


def _predictor(apply: Callable[[tf.Tensor], tf.Tensor], shape: tuple[int, ...]) -> Predictor:
    """Return what applies a model in batches of one size, two at a time where cores are free.

    `apply` takes images of this shape, uint8 [batch, *shape], and gives float32 [batch, classes].
    """

    def apply_to_each(batches: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(apply, batches, parallel_iterations=2, fn_output_signature=tf.float32)

    signature = [tf.TensorSpec((None, BATCH, *shape), tf.uint8)]
    compiled = tf.function(apply_to_each, input_signature=signature, autograph=False)

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = max(1, MOST_BYTES // (BATCH * math.prod(shape))) * BATCH
        return np.concatenate([some(images[start : start + size]) for start in range(0, max(1, len(images)), size)])

    def some(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        count = len(images)
        if count % BATCH:
            images = np.concatenate([images, np.zeros((-count % BATCH, *images.shape[1:]), np.uint8)])
        scores: NDArray[np.float32] = compiled(to_device(images.reshape(-1, BATCH, *shape))).numpy()
        return scores.reshape(-1, scores.shape[-1])[:count]

    return predict


def logits_of(network: keras.Model) -> Predictor:
    """Return what computes the logits of a network that is being trained, in inference mode."""

    def apply(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(network(tf.cast(images, tf.float32) / 255, training=False), tf.float32)

    return _predictor(apply, network.input_shape[1:])


def probabilities_of(served: keras.Model) -> Predictor:
    """Return what computes the probabilities of a `served_model`."""
    return _predictor(lambda images: served(images, training=False), served.input_shape[1:])


def predict(job: PredictJob) -> None:
    """Write the probabilities of a saved model, float32 [n, classes]; `load_model` says what it refuses."""
    changed = job.model.stat().st_mtime_ns if job.model.exists() else 0
    probabilities = _loaded(job.model, changed)(np.load(job.images, mmap_mode="r", allow_pickle=False))
    with atomic_path(job.probabilities) as temporary:
        np.save(temporary, probabilities, allow_pickle=False)


@lru_cache(maxsize=1)  # thousands of images come in portions, and to load and compile takes a second or two
def _loaded(file: Path, _changed: int) -> Predictor:
    return probabilities_of(load_model(file))


def trained_network(directory: RunDirectory) -> keras.Model:
    """Return the network of a finished training with its kept weights: pixels in [0, 1] to logits, as in its recipe.

    Nothing but the run directory is needed, which holds copies of the user's own modules.
    """
    facts = json.loads(directory.recipe_file.read_text())
    network = directory.recipe().network(tuple(facts["image_shape"]), facts["classes"])
    network.set_weights(load_model(directory.model_file).get_weights())
    return network
