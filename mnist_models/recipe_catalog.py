"""One file per architecture: its network and its recipes, found by being here.

A file holds a function that builds the network and a tuple `RECIPES`. Nothing else is edited to add one:
`mnist recipes`, the flow's form, the tracking and the tests all start from `all_recipes()`. Files import
Keras inside their functions, so that listing recipes costs nothing. A file that cannot be loaded costs its own
recipes only; `broken_files()` says why. Files whose names begin with _ hold what others share.

Further files can live in a folder of your own, named by the environment variable MNIST_RECIPES.
"""

import importlib
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mnist_models import recipes as architectures
from mnist_models.error_place import own_place
from mnist_models.errors import InvalidInput, unknown_name
from mnist_models.recipe import Recipe


@dataclass(frozen=True)
class BrokenFile:
    """A file whose recipes, or some of them, cannot be used."""

    file: Path
    reason: str  # with the line, where there is one

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.file.parent.name}/{self.file.name}" if self.file.stem == "__init__" else self.file.name

    @property
    def sentence(self) -> str:
        """Which file, and why."""
        return f"{self.name} cannot be loaded: {self.reason}"


_without_file: list[Recipe] = []
_broken: list[BrokenFile] = []


@cache
def all_recipes() -> dict[str, Recipe]:
    """Return every recipe by name that can be used, the notebook's rows first, in its order.

    Raise InvalidInput if MNIST_RECIPES names no folder, or a program lists a recipe whose name a file has.
    """
    extra = os.environ.get("MNIST_RECIPES")
    if extra and not Path(extra).is_dir():
        raise InvalidInput(f"MNIST_RECIPES: there is no folder {extra}.")
    if extra and extra not in architectures.__path__:
        architectures.__path__.append(extra)
    _broken.clear()
    found: dict[str, tuple[Recipe, Path | None]] = {recipe.name: (recipe, None) for recipe in _without_file}
    for file in _files():
        try:
            found |= {recipe.name: (recipe, file) for recipe in _load(file, found)}
        except _Broken as broken:
            _broken.append(BrokenFile(file, str(broken)))
    while lost := {
        name: recipe.continues for name, (recipe, _) in found.items() if recipe.continues not in {None, *found}
    }:
        for name, start in lost.items():
            _, where = found.pop(name)
            if where is None:
                raise InvalidInput(f"recipes: {name} continues {start}, which does not exist.")
            _broken.append(BrokenFile(where, f"{name} continues {start}, which does not exist"))
    recipes = sorted((recipe for recipe, _ in found.values()), key=lambda each: (each.notebook_row or "~", each.name))
    return {recipe.name: recipe for recipe in recipes}


def broken_files() -> tuple[BrokenFile, ...]:
    """Return the files whose recipes are missing from `all_recipes`, by name."""
    all_recipes()
    return tuple(sorted(_broken, key=lambda each: each.name))


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


class _Broken(Exception):
    """The reason why a file cannot be used."""


def _files() -> list[Path]:
    """Return the files of recipes, our own first; those whose names begin with _ hold none."""
    folders = [*map(Path, architectures.__path__)]
    modules = ((folder, each) for folder in folders for each in pkgutil.iter_modules([str(folder)]))
    return [
        folder / each.name / "__init__.py" if each.ispkg else folder / f"{each.name}.py"
        for folder, each in modules
        if not each.name.startswith("_")
    ]


def _load(file: Path, found: dict[str, tuple[Recipe, Path | None]]) -> tuple[Recipe, ...]:
    """Return a file's recipes, whose names must not be among `found`; raise _Broken."""
    name = file.parent.name if file.stem == "__init__" else file.stem
    try:
        with redirect_stdout(sys.stderr):  # what a file prints must not get into the JSON of a command
            module = importlib.import_module(f"{architectures.__name__}.{name}")
        offered = getattr(module, "RECIPES", None)
    except (Exception, SystemExit) as error:
        raise _Broken(_reason(error, file)) from None
    if Path(str(module.__file__)).resolve() != file.resolve():
        raise _Broken("a recipe file of this project has the same name; give it another")
    if not isinstance(offered, list | tuple) or not all(isinstance(each, Recipe) for each in offered):
        what = "has none" if offered is None else f"it is {type(offered).__name__}"
        raise _Broken(f"a file must hold a tuple RECIPES of recipes, such as RECIPES = (Recipe(…),), but {what}")
    names = [each.name for each in offered]
    for name in names:
        if name in found and found[name][1] is None:
            raise InvalidInput(f"recipes: {name} is in the program and in {file.name}.")
        if name in found or names.count(name) > 1:
            other = found[name][1] if name in found else None
            raise _Broken(f"{name} is also in {other.name}" if other else f"{name} is twice in it")
    return tuple(offered)


def _reason(error: BaseException, file: Path) -> str:
    """Return what was raised, after the innermost line of the user's own."""
    folders = [Path(folder).resolve() for folder in architectures.__path__]
    text = "".join(traceback.format_exception(error))
    place = own_place(text, lambda raised_in: raised_in.resolve().parent in folders)
    words = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    if isinstance(error, SyntaxError):
        words = error.msg
    if not isinstance(error, InvalidInput):
        words = f"{type(error).__name__}: {words}"
    return ": ".join(part for part in (place.removeprefix(f"{file.name}, "), words) if part)


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name, or raise InvalidInput with the nearest valid names."""
    recipes = all_recipes()
    if name not in recipes:
        raise _unknown("recipe", name, recipes)
    return recipes[name]


def _unknown(kind: str, name: str, valid: Iterable[str]) -> InvalidInput:
    """The refusal of a name: the file that holds it cannot be loaded, or it does not exist."""
    for broken in broken_files():
        if re.search(rf"""["']{re.escape(name)}["']""", broken.file.read_text(errors="replace")):
            return InvalidInput(f"{kind} {name!r} cannot be used: {broken.sentence}.")
    refusal = unknown_name(kind, name, valid)
    missing = "".join(f" {broken.sentence}." for broken in broken_files())
    return InvalidInput(f"{refusal}{missing}")


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
        raise _unknown("suite", suite, suites)
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"recipes: {name!r} is given twice; name each recipe once.")
    chosen = {name: find_recipe(name) for name in names or suites[suite]}
    while starts := {recipe.continues for recipe in chosen.values() if recipe.continues} - chosen.keys():
        chosen |= {name: find_recipe(name) for name in starts}
    return [recipe for recipe in all_recipes().values() if recipe.name in chosen]
