"""The network of every recipe that is discovered, without naming any: a new one is tested by being there."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_models.recipe_catalog import all_recipes
from mnist_models.trainer.checkpoint import values
from mnist_models.trainer.inference import logits_of, probabilities_of, save_model, served_model
from mnist_models.trainer.loop import Loop
from mnist_models.trainer.losses import LOSSES
from mnist_models.trainer.model_file import load_model

RECIPES = list(all_recipes().values())
NETWORKS = list({recipe.network: recipe for recipe in RECIPES}.values())


@pytest.fixture(autouse=True)
def fresh_keras():
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float32")


def images(count: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("recipe", NETWORKS, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 10), ((16, 20, 1), 2), ((33, 33, 1), 101)])
def test_builds_itself_for_any_shape_and_classes(recipe, shape, classes):
    model = recipe.network(shape, classes)
    assert model.built  # its weights exist before the first call: the optimiser is built for them
    assert model(np.zeros((3, *shape), np.float32)).shape == (3, classes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_loss_is_finite_and_reaches_every_weight(recipe):
    model = recipe.network((28, 28, 1), 10)
    x = images(64, (28, 28, 1)).astype(np.float32) / 255
    targets = tf.one_hot(np.arange(64) % 10, 10)
    # From an output layer of zeros nothing flows back at first: the first step moves it.
    optimizer = keras.optimizers.SGD(0.01)
    for _ in range(2):
        with tf.GradientTape() as tape:
            minimised, loss = LOSSES[recipe.loss](targets, model(x, training=True))
        gradients = tape.gradient(minimised, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
    assert np.isfinite(float(loss))
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(np.asarray(gradient) != 0), variable.path


@pytest.mark.parametrize("recipe", NETWORKS, ids=lambda recipe: recipe.name)
def test_served_model_survives_saving(recipe, tmp_path):
    network = recipe.network((28, 28, 1), 10)
    served = served_model(recipe, (28, 28, 1), 10, network.get_weights())
    save_model(served, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    x = images(7, (28, 28))
    probabilities = probabilities_of(served)(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities_of(loaded)(x), probabilities)
    # What is served is the softmax of the trained network's own output.
    np.testing.assert_allclose(tf.nn.softmax(logits_of(network)(x)), probabilities, atol=1e-6)


@pytest.mark.parametrize("recipe", NETWORKS, ids=lambda recipe: recipe.name)
def test_overfits_32_images(recipe):
    x, y = images(32, (16, 16)), (np.arange(32) % 4).astype(np.int32)
    model, optimizer = recipe.network((16, 16, 1), 4), keras.optimizers.Adam(3e-3)
    optimizer.build(model.trainable_variables)
    plain = replace(recipe, loss="cross_entropy", batch_size=32, augmentation=None, label_smoothing=0.0)
    Loop(model, optimizer, plain, x, y, seed=0).run(np.tile(np.arange(32, dtype=np.int32), (150, 1)), 0)
    # With dropout off and batch norm in training mode: running statistics need longer than this.
    normalised = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    logits = model(x[..., None] / np.float32(255), training=normalised)
    assert np.mean(np.argmax(logits, axis=1) == y) >= 0.9


def test_networks_draw_the_same_weights_from_the_same_seed():
    for recipe in NETWORKS:
        drawn = []
        for _ in range(2):
            keras.utils.set_random_seed(5)
            drawn.append(values(recipe.network((16, 16, 1), 3).trainable_variables))
        for one, other in zip(*drawn, strict=True):
            np.testing.assert_array_equal(one, other)
