"""Every recipe that is discovered, without naming any: a new one is tested by being there."""

import sys
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Optimizer, Recipe
from mnist_models.recipe_catalog import all_recipes, all_suites, choose_recipes, find_recipe
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


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_says_what_it_is_in_one_line(recipe):
    assert recipe.summary
    assert "\n" not in recipe.summary
    assert len(recipe.summary) <= 55  # a line of `mnist recipes` in 80 columns
    assert recipe.name == recipe.name.lower()
    assert recipe.network.__doc__


def test_digest_covers_settings_and_source(tmp_path, monkeypatch):
    recipe = RECIPES[0]
    assert recipe.digest != RECIPES[1].digest
    edited = tmp_path / "source.py"
    edited.write_bytes(recipe.source_file.read_bytes() + b"\n# edited")
    monkeypatch.setattr(Recipe, "source_file", edited)
    assert Recipe(**vars_of(recipe)).digest != recipe.digest


def vars_of(recipe: Recipe) -> dict:
    return {name: getattr(recipe, name) for name in Recipe.__dataclass_fields__}


@pytest.mark.parametrize(
    "change",
    [
        {"steps": None},
        {"steps": 10, "epochs": 1},
        {"steps": 0},
        {"batch_size": 0},
        {"validations": 0},
        {"validation_fraction": 0.7},
        {"optimizer": Optimizer("sgd", float("nan"))},
        {"optimizer": Optimizer("sgd", 0.1, warm_up=0.0)},
        {"name": "softmax_regression/new"},
        {"network": partial(NETWORKS[0].network)},
    ],
)
def test_refuses_a_recipe_that_cannot_be_trained(change):
    whole = vars_of(find_recipe("softmax_regression"))
    with pytest.raises(ValueError, match="softmax_regression"):
        Recipe(**(whole | change))


def test_a_file_is_enough_to_add_a_recipe(tmp_path, monkeypatch):
    (tmp_path / "my_net.py").write_text(
        "from dataclasses import replace\n"
        "from mnist_models.recipes.softmax_regression import RECIPES as FOUND\n"
        "RECIPES = (replace(FOUND[0], name='mine', summary='Mine', suites=('own',), notebook_row=None),)\n"
    )
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path))
    monkeypatch.setattr("mnist_models.recipes.__path__", list(__import__("mnist_models.recipes").recipes.__path__))
    all_recipes.cache_clear()
    try:
        assert find_recipe("mine").summary == "Mine"
        assert all_suites()["own"] == ["mine"]
        assert "mine" in all_suites()["all"]
    finally:
        all_recipes.cache_clear()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("raise OSError('no')", "recipes: mine.py cannot be loaded: OSError: no"),
        ("x = 1", "recipes: mine.py cannot be loaded: AttributeError"),
        ("from mnist_models.recipes.conv_net import RECIPES", "recipes: conv_net is in conv_net.py and in mine.py"),
        (
            "from dataclasses import replace\nfrom mnist_models.recipes.conv_net import KERAS\n"
            "RECIPES = (replace(KERAS, name='mine', continues='nothing'),)",
            "recipes: mine continues nothing",
        ),
    ],
)
def test_a_wrong_file_is_named(tmp_path, monkeypatch, content, words):
    (tmp_path / "mine.py").write_text(content)
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path))
    monkeypatch.setattr("mnist_models.recipes.__path__", list(__import__("mnist_models.recipes").recipes.__path__))
    monkeypatch.delitem(sys.modules, "mnist_models.recipes.mine", raising=False)
    all_recipes.cache_clear()
    try:
        with pytest.raises(InvalidInput) as caught:
            all_recipes()
        assert str(caught.value).startswith(words)
    finally:
        all_recipes.cache_clear()


def test_a_missing_folder_of_recipes_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path / "none"))
    all_recipes.cache_clear()
    with pytest.raises(InvalidInput, match="MNIST_RECIPES"):
        all_recipes()


def test_a_continued_recipe_comes_with_its_start():
    names = [recipe.name for recipe in choose_recipes("quick", ["keras_conv_net_best", "relu_dropout_diverged"])]
    assert names == ["relu_dropout_naive", "relu_dropout_diverged", "keras_conv_net", "keras_conv_net_best"]


@pytest.mark.parametrize(
    ("suite", "names", "words"),
    [
        ("quik", [], "did you mean quick"),
        ("quick", ["conv_ned"], "did you mean conv_net"),
        ("quick", ["zzz"], "softmax_regression"),
        ("quick", ["conv_net", "conv_net"], "twice"),
    ],
)
def test_a_wrong_name_is_refused_with_the_valid_ones(suite, names, words):
    with pytest.raises(InvalidInput, match=words):
        choose_recipes(suite, names)


def test_networks_draw_the_same_weights_from_the_same_seed():
    for recipe in NETWORKS:
        drawn = []
        for _ in range(2):
            keras.utils.set_random_seed(5)
            drawn.append(values(recipe.network((16, 16, 1), 3).trainable_variables))
        for one, other in zip(*drawn, strict=True):
            np.testing.assert_array_equal(one, other)
