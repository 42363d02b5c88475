"""What a user can ask for, checked before anything is started."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Recipe
from mnist_models.recipe_catalog import all_recipes, all_suites, choose_recipes
from mnist_models.trainer_pool.machine import machine
from mnist_models.training_run.plan import Training, plan_trainings

MAX_SEED = 2**31 - 1
MAX_SEEDS = 100


def shown(title: str, **more: Any) -> Any:
    """How Prefect's form shows a parameter; a plain `title` would be replaced by the parameter's name."""
    return Field(json_schema_extra={"title": title, **more})


# The schemas make the form offer what exists; the names themselves are checked by `check_request`, whose answer to a
# wrong one is better than a schema's.
SuiteName = Annotated[str, shown("Suite", enum=[*all_suites()])]
RecipeNames = Annotated[
    list[Annotated[str, Field(json_schema_extra={"enum": [*all_recipes()]})]], shown("Recipes instead of a suite")
]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED), shown("First seed")]
Seeds = Annotated[int, Field(ge=1, le=MAX_SEEDS), shown("Repeats")]
DataPath = Annotated[str, shown("Data")]
Promote = Annotated[bool, shown("Promote the best")]
Force = Annotated[bool, shown("Train again what is already trained")]
SummaryFile = Annotated[str, shown("JSON summary")]


@dataclass(frozen=True)
class Request:
    """A checked request."""

    recipes: tuple[Recipe, ...]
    seeds: tuple[int, ...]

    def trainings(self, data_digest: str) -> list[Training]:
        """What it amounts to on this machine, in the order in which to start."""
        here = machine()
        precisions = {recipe.name: here.precision(recipe) for recipe in self.recipes}
        return plan_trainings(self.recipes, self.seeds, data_digest, precisions, here.device, here.threads)


def check_request(suite: str, recipes: list[str], seed: int, seeds: int, summary: str) -> Request:
    """Check names and numbers.

    Raises:
        InvalidInput: names the field and what is allowed.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InvalidInput(f"seed: {seed} is not allowed; give a whole number from 0 to {MAX_SEED:,}.")
    if not 1 <= seeds <= MAX_SEEDS:
        raise InvalidInput(f"seeds: {seeds} is not allowed; give a whole number of repeats from 1 to {MAX_SEEDS}.")
    if seed + seeds - 1 > MAX_SEED:
        raise InvalidInput(f"seed: {seed} leaves no room for {seeds} repeats; the largest seed is {MAX_SEED:,}.")
    if summary:
        writable_file("summary", summary)
    chosen = choose_recipes(suite, recipes)
    return Request(tuple(chosen), tuple(range(seed, seed + seeds)))


def writable_file(field: str, given: str) -> Path:
    """The absolute path of a file that can be written.

    Raises:
        InvalidInput: it cannot.
    """
    file = Path(given).resolve()
    if not file.parent.is_dir() or (file.exists() and not file.is_file()):
        raise InvalidInput(f"{field}: {given} is not a file in an existing folder.")
    if not os.access(file.parent, os.W_OK):
        raise InvalidInput(f"{field}: the folder of {given} cannot be written to.")
    return file
