"""What a recipe may say, and how recipes are found: no network is built here."""

import sys
from functools import partial

import pytest

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Optimizer, Recipe
from mnist_models.recipe_catalog import all_recipes, all_suites, choose_recipes, find_recipe

RECIPES = list(all_recipes().values())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_says_what_it_is_in_one_line(recipe):
    assert recipe.summary
    assert "\n" not in recipe.summary
    assert len(recipe.summary) <= 55  # a line of `mnist recipes` in 80 columns
    assert recipe.name == recipe.name.lower()
    assert recipe.network.__doc__


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
        {"network": partial(RECIPES[0].network)},
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
