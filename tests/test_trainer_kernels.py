"""What makes a step fast must not change what it computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, optimizers

from mnist_models.recipe import Optimizer
from mnist_models.recipe_catalog import find_recipe
from mnist_models.trainer import inference
from mnist_models.trainer.fused_batch_norm import with_fused_batch_norm
from mnist_models.trainer.half_batches import in_half_batches
from mnist_models.trainer.inference import BATCH, logits_of
from mnist_models.trainer.optimizers import build_optimizer

IMAGES = np.random.default_rng(0).random((6, 28, 28, 1), np.float32)


def operations(apply):
    graph = tf.function(apply).get_concrete_function(tf.TensorSpec(IMAGES.shape)).graph
    return [operation.type for operation in graph.get_operations()]


def test_halves_compute_what_the_whole_computes():
    keras.utils.set_random_seed(0)
    network = find_recipe("keras_conv_net").network((28, 28, 1), 10)
    plain = keras.Sequential([layer for layer in network.layers if not isinstance(layer, layers.Dropout)])
    plain.build(IMAGES.shape)
    apply = in_half_batches(plain, len(IMAGES))
    assert operations(apply).count("Conv2D") == 4  # two layers, each on two halves
    results = []
    for function in (apply, lambda images: plain(images, training=True)):
        with tf.GradientTape() as tape:
            logits = function(tf.constant(IMAGES))
            loss = tf.reduce_mean(logits**2)
        results.append((logits, *tape.gradient(loss, [variable.value for variable in plain.trainable_variables])))
    for halves, whole in zip(*results, strict=True):
        np.testing.assert_allclose(halves, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("meeting", [layers.BatchNormalization, lambda: layers.Dropout(0.5)])
def test_images_that_meet_or_draws_before_the_dense_part_stay_whole(meeting):
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Conv2D(2, 3), meeting(), layers.Flatten(), layers.Dense(10)]
    )
    assert operations(in_half_batches(network, len(IMAGES))).count("Conv2D") == 1


def test_an_odd_batch_and_any_on_a_gpu_stay_whole(monkeypatch):
    network = find_recipe("keras_conv_net").network((28, 28, 1), 10)
    assert operations(in_half_batches(network, len(IMAGES))).count("Conv2D") == 4
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["one"])
    assert operations(in_half_batches(network, len(IMAGES))).count("Conv2D") == 2
    monkeypatch.undo()
    assert operations(in_half_batches(network, 7)).count("Conv2D") == 2


@pytest.mark.parametrize(
    ("settings", "reference"),
    [
        (Optimizer("adam", 0.01, beta_1=0.8, beta_2=0.95), optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95)),
        (Optimizer("adamw", 0.01, weight_decay=0.1), optimizers.AdamW(0.01, weight_decay=0.1)),
    ],
)
def test_the_fused_adam_is_adam(settings, reference):
    start = np.random.default_rng(1).normal(size=(20, 30)).astype(np.float32)
    ends = []
    for optimizer in (build_optimizer(settings, 100, "float32"), reference):
        variable = keras.Variable(start)
        optimizer.build([variable])
        for step in range(20):
            gradient = tf.constant(np.random.default_rng(step).normal(size=start.shape).astype(np.float32))
            optimizer.apply([gradient], [variable])
        ends.append([variable, *optimizer._momentums, *optimizer._velocities])
        assert int(optimizer.iterations) == 20
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def normalising(*between):
    """A small network with batch norm after a convolution and after a dense layer, in a state of its own."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 5, use_bias=False),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-2),
            *between,
            layers.Flatten(),
            layers.Dense(8, use_bias=False),
            layers.BatchNormalization(),
        ]
    )
    for number, variable in enumerate(network.variables):
        variable.assign_add(np.random.default_rng(number).random(variable.shape, np.float32) / 10)
    return network


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("mixed_bfloat16", 3e-2)])
def test_the_fused_batch_norm_is_that_of_keras(precision, tolerance):
    keras.config.set_dtype_policy(precision)
    results = []
    try:
        for fuse in (with_fused_batch_norm, lambda model: model):
            network = normalising()
            training = fuse(network)
            assert operations(lambda images, model=training: model(images, training=True)).count(
                "FusedBatchNormV3"
            ) == (2 if training is not network else 0)
            with tf.GradientTape() as tape:
                outputs = tf.cast(training(tf.constant(IMAGES), training=True), tf.float32)
                loss = tf.reduce_mean((outputs - 1) ** 3)
            gradients = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
            results.append((outputs, *gradients, *network.non_trainable_variables))
    finally:
        keras.config.set_dtype_policy("float32")
    assert len(results[0]) == 1 + 6 + 4
    for fused, theirs in zip(*results, strict=True):
        scale = float(tf.reduce_max(tf.abs(tf.cast(theirs, tf.float32))))
        np.testing.assert_allclose(fused, theirs, rtol=tolerance, atol=tolerance * max(scale, 1e-2))


@pytest.mark.parametrize(
    "other",
    [{"axis": 1}, {"scale": False}, {"center": False}, {"trainable": False}, {"renorm": True}, {"epsilon": 1e-6}],
)
def test_a_batch_norm_that_the_kernel_would_compute_otherwise_is_left_to_keras(other):
    training = with_fused_batch_norm(normalising(layers.BatchNormalization(**other)))
    assert [type(layer).__name__ for layer in training.layers].count("BatchNormalization") == 1
    training(IMAGES, training=True)


def test_what_is_trained_with_the_fused_kernel_is_saved_as_plain_keras():
    network = normalising()
    with_fused_batch_norm(network)
    assert {type(layer) for layer in network.layers} <= {
        layers.Conv2D,
        layers.BatchNormalization,
        layers.Flatten,
        layers.Dense,
    }


@pytest.mark.parametrize("count", [0, 1, BATCH, 2 * BATCH + 1])
def test_predictions_of_many_are_those_of_each_batch(count, monkeypatch):
    keras.utils.set_random_seed(0)
    predictor = logits_of(find_recipe("keras_conv_net").network((28, 28, 1), 10))
    images = np.random.default_rng(1).integers(0, 256, (count, 28, 28), np.uint8)
    alone = [predictor(images[start : start + BATCH]) for start in range(0, count, BATCH)]
    together = predictor(images)
    np.testing.assert_array_equal(together, np.concatenate([np.empty((0, 10), np.float32), *alone]))
    monkeypatch.setattr(inference, "MOST_BYTES", 1)  # a batch at a time, as of a set that is larger than the memory
    np.testing.assert_array_equal(predictor(images), together)
