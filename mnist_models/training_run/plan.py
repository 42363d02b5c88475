"""Which trainings a request amounts to, and in which order they start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from mnist_models.recipe import Recipe
from mnist_models.training_run.identity import Conditions, identity_of, identity_parts


@dataclass(frozen=True)
class Training:
    """One training of a recipe: an MLflow run."""

    recipe: Recipe
    seed: int
    data_digest: str
    conditions: Conditions
    start: "Training | None" = None  # the one that it continues
    seconds: float = 0.0  # expected on one core until all that continues it is done as well

    @cached_property
    def identity(self) -> str:
        """Return what tells it from all others; the same identity need not be trained twice."""
        start = self.start.identity if self.start else None
        return identity_of(identity_parts(self.recipe, self.seed, self.data_digest, self.conditions, start))

    @property
    def folder(self) -> str:
        """The name of its run directory."""
        return f"{self.recipe.name}-seed-{self.seed}-{self.identity[:12]}"


def plan_trainings(
    recipes: Iterable[Recipe], seeds: Iterable[int], data_digest: str, conditions: Callable[[Recipe], Conditions]
) -> list[Training]:
    """Return every recipe with every seed, those first whose chain of continuations takes longest.

    So no trainer idles at the end beside a long training, and whatever continues another comes after it.
    `conditions` tells how a recipe is trained on this machine.
    """
    chosen = {recipe.name: recipe for recipe in recipes}
    planned: list[Training] = []

    @cache
    def add(name: str, seed: int) -> Training:
        recipe = chosen[name]
        start = add(recipe.continues, seed) if recipe.continues else None
        planned.append(Training(recipe, seed, data_digest, conditions(recipe), start, chain(name)))
        return planned[-1]

    def chain(name: str) -> float:
        following = [chain(other.name) for other in chosen.values() if other.continues == name]
        return chosen[name].seconds + max(following, default=0.0)

    for seed in seeds:
        for name in chosen:
            add(name, seed)
    return sorted(planned, key=lambda training: -training.seconds)
