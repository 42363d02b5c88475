"""What makes a step fast must not change what it computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, optimizers

from mnist_models.recipe import Optimizer
from mnist_models.recipes import find_recipe
from mnist_models.trainer.halves import in_halves
from mnist_models.trainer.optimizers import build_optimizer

IMAGES = np.random.default_rng(0).random((6, 28, 28, 1), np.float32)


def operations(apply):
    graph = tf.function(apply).get_concrete_function(tf.TensorSpec(IMAGES.shape)).graph
    return [operation.type for operation in graph.get_operations()]


def test_halves_compute_what_the_whole_computes():
    keras.utils.set_random_seed(0)
    network = find_recipe("keras_conv_net").network((28, 28), 10)
    plain = keras.Sequential([layer for layer in network.layers if not isinstance(layer, layers.Dropout)])
    plain.build(IMAGES.shape)
    apply = in_halves(plain, len(IMAGES))
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
    assert operations(in_halves(network, len(IMAGES))).count("Conv2D") == 1


def test_an_odd_batch_and_any_on_a_gpu_stay_whole(monkeypatch):
    network = find_recipe("keras_conv_net").network((28, 28), 10)
    assert operations(in_halves(network, len(IMAGES))).count("Conv2D") == 4
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["one"])
    assert operations(in_halves(network, len(IMAGES))).count("Conv2D") == 2
    monkeypatch.undo()
    assert operations(in_halves(network, 7)).count("Conv2D") == 2


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
