"""One file per architecture: its network and its recipes, found by being here.

A file holds a function that builds the network and a tuple `RECIPES`. Nothing else is edited to add one:
`mnist recipes`, the flow's form, the tracking and the tests all start from `all_recipes()`. Files import
Keras inside their functions, so that listing recipes costs nothing.

Further files can live in a folder of your own, named by the environment variable MNIST_RECIPES.
"""

import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mnist_models import recipes as architectures
from mnist_models.errors import InvalidInput, unknown_name
from mnist_models.recipe import Recipe


@cache
def all_recipes() -> dict[str, Recipe]:
    """Return every recipe by name, the notebook's rows first, in its order.

    Raise InvalidInput that names the file if it cannot be loaded, or a recipe's name or start is not possible.
    """
    extra = os.environ.get("MNIST_RECIPES")
    if extra and not Path(extra).is_dir():
        raise InvalidInput(f"MNIST_RECIPES: there is no folder {extra}.")
    if extra and extra not in architectures.__path__:
        architectures.__path__.append(extra)
    found = {recipe.name: (recipe, "the program") for recipe in _without_file}
    for module in pkgutil.iter_modules(architectures.__path__):
        for recipe in _load(module.name):
            if recipe.name in found:
                raise InvalidInput(f"recipes: {recipe.name} is in {found[recipe.name][1]} and in {module.name}.py.")
            found[recipe.name] = (recipe, f"{module.name}.py")
    recipes = sorted((recipe for recipe, _ in found.values()), key=lambda each: (each.notebook_row or "~", each.name))
    for recipe in recipes:
        if recipe.continues is not None and recipe.continues not in found:
            raise InvalidInput(f"recipes: {recipe.name} continues {recipe.continues}, which does not exist.")
    return {recipe.name: recipe for recipe in recipes}


_without_file: list[Recipe] = []


@contextmanager
def more_recipes(*recipes: Recipe) -> Iterator[None]:
    """List these recipes as well while the block runs: a program can train what no file holds."""
    before = [*_without_file]
    _without_file.extend(recipes)
    all_recipes.cache_clear()
    try:
        yield
    finally:
        _without_file[:] = before
        all_recipes.cache_clear()


def _load(module: str) -> tuple[Recipe, ...]:
    try:
        return tuple(importlib.import_module(f"{architectures.__name__}.{module}").RECIPES)
    except Exception as error:
        text = str(error).strip().splitlines() or [""]
        raise InvalidInput(f"recipes: {module}.py cannot be loaded: {type(error).__name__}: {text[0]}.") from error


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name, or raise InvalidInput with the nearest valid names."""
    recipes = all_recipes()
    if name not in recipes:
        raise unknown_name("recipe", name, recipes)
    return recipes[name]


def all_suites() -> dict[str, list[str]]:
    """Suite → names of its recipes; `all` holds every recipe."""
    suites: dict[str, list[str]] = {"quick": [], "notebook": []}
    for recipe in all_recipes().values():
        for suite in recipe.suites:
            suites.setdefault(suite, []).append(recipe.name)
    return suites | {"all": list(all_recipes())}


def choose_recipes(suite: str, names: Sequence[str]) -> list[Recipe]:
    """Return the recipes to train: those named, or else the suite's, and what these continue, in the catalog's order.

    Raise InvalidInput for an unknown or repeated name.
    """
    suites = all_suites()
    if suite not in suites:
        raise unknown_name("suite", suite, suites)
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"recipes: {name!r} is given twice; name each recipe once.")
    chosen = {name: find_recipe(name) for name in names or suites[suite]}
    while starts := {recipe.continues for recipe in chosen.values() if recipe.continues} - chosen.keys():
        chosen |= {name: find_recipe(name) for name in starts}
    return [recipe for recipe in all_recipes().values() if recipe.name in chosen]
