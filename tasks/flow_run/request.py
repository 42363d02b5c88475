"""What a user can ask for: one value, checked when it is made, before anything is started."""

import os
import re
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mnist_models.data.options import SIDES, DataOptions
from mnist_models.errors import InvalidInput
from mnist_models.recipe import Recipe
from mnist_models.recipe_catalog import BrokenFile, all_recipes, all_suites, broken_files, choose_recipes
from mnist_models.shown_text import as_unicode
from mnist_models.trainer_pool.machine import machine
from mnist_models.training_run.plan import Training, plan_trainings
from tasks.config.settings import MODEL_NAME

MAX_SEED = 2**31 - 1
MAX_SEEDS = 100


def form_field(title: str, **more: Any) -> Any:
    """Return how Prefect's form shows a parameter; a plain `title` would be replaced by the parameter's name."""
    return Field(json_schema_extra={"title": title, **more})


# The schemas make the form offer what exists; the names themselves are checked by `TrainRequest`, whose answer to a
# wrong one is better than a schema's.
SuiteName = Annotated[str, form_field("Suite", enum=[*all_suites()])]
RecipeNames = Annotated[
    list[Annotated[str, Field(json_schema_extra={"enum": [*all_recipes()]})]], form_field("Recipes instead of a suite")
]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED), form_field("First seed")]
Seeds = Annotated[int, Field(ge=1, le=MAX_SEEDS), form_field("Repeats")]
DataPath = Annotated[str, form_field("Data")]
Promote = Annotated[bool, form_field("Promote the best")]
Force = Annotated[bool, form_field("Train again what is already trained")]
SummaryFile = Annotated[str, form_field("JSON summary")]
ModelName = Annotated[str, form_field("Registered model")]
ImageSize = Annotated[int, Field(ge=0, le=SIDES[1]), form_field("Side of images in pixels")]
Crop = Annotated[bool, form_field("Cut images to size")]
Transposed = Annotated[bool, form_field("Exchange rows and columns of images")]
Replace = Annotated[bool, form_field("Replace a champion of another problem")]


@dataclass(frozen=True)
class TrainRequest:
    """The parameters of the train flow, which describes them. Raise InvalidInput for what cannot be done."""

    suite: str = "quick"
    recipes: tuple[str, ...] = ()
    seed: int = 0
    seeds: int = 1
    data: str = ""
    promote: bool = True
    force: bool = False
    summary: str = ""
    model: str = ""
    replace: bool = False
    image_size: int = 0
    crop: bool = False
    transposed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        object.__setattr__(self, "recipes", tuple(self.recipes))
        seed, seeds = self.seed, self.seeds
        if not 0 <= seed <= MAX_SEED:
            raise InvalidInput(f"seed: {seed} is not allowed; give a whole number from 0 to {MAX_SEED:,}.")
        if not 1 <= seeds <= MAX_SEEDS:
            raise InvalidInput(f"seeds: {seeds} is not allowed; give a whole number of repeats from 1 to {MAX_SEEDS}.")
        if seed + seeds - 1 > MAX_SEED:
            raise InvalidInput(f"seed: {seed} leaves no room for {seeds} repeats; the largest seed is {MAX_SEED:,}.")
        for field in ("data", "summary"):
            if (shown := as_unicode(given := getattr(self, field))) != given:
                raise InvalidInput(f"{field}: {shown} is no valid text, which all records need; give it another name.")
        if self.summary:
            writable_file("summary", self.summary)
        if self.model and not re.fullmatch(MODEL_NAME, self.model):
            raise InvalidInput(f"model: {self.model!r} is not allowed; give 1 to 200 characters without / and :.")
        choose_recipes(self.suite, self.recipes)
        self.data_options(DataOptions())

    def data_options(self, default: DataOptions) -> DataOptions:
        """Return how the data are to be read; what the request does not say is as by default."""
        return replace(default, image_size=self.image_size, crop=self.crop, transposed=self.transposed)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the flow, JSON-able."""
        return asdict(self) | {"recipes": list(self.recipes)}

    @property
    def title(self) -> str:
        """What is to be trained, as it is shown."""
        return ", ".join(self.recipes) or self.suite

    @property
    def tags(self) -> list[str]:
        """What a flow run that does this is found by in Prefect."""
        return [f"recipe:{name}" for name in self.recipes] or [f"suite:{self.suite}"]

    @cached_property
    def chosen(self) -> tuple[Recipe, ...]:
        """The recipes, and before each the one that it continues."""
        return tuple(choose_recipes(self.suite, self.recipes))

    @property
    def broken_files(self) -> tuple[BrokenFile, ...]:
        """The files of recipes that cannot be loaded, if all recipes are asked for."""
        return broken_files() if self.suite == "all" and not self.recipes else ()

    @property
    def all_seeds(self) -> range:
        """The seeds of the repeats."""
        return range(self.seed, self.seed + self.seeds)

    def trainings(self, data_digest: str) -> list[Training]:
        """Return what it amounts to on this machine, in the order in which to start."""
        return plan_trainings(self.chosen, self.all_seeds, data_digest, machine().conditions)

    def label(self, training: Training) -> str:
        """What a training is called on screens: the recipe, with the seed where there are several."""
        return f"{training.recipe.name} ({training.seed})" if self.seeds > 1 else training.recipe.name


def writable_file(field: str, given: str) -> Path:
    """Return the absolute path of a file; raise InvalidInput if it cannot be written."""
    file = Path(given).resolve()
    if not file.parent.is_dir() or (file.exists() and not file.is_file()):
        raise InvalidInput(f"{field}: {given} is not a file in an existing folder.")
    if not os.access(file.parent, os.W_OK):
        raise InvalidInput(f"{field}: the folder of {given} cannot be written to.")
    return file
