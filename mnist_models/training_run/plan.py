"""Which trainings a request amounts to, and what identifies each."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

from mnist_models.recipe import Recipe
from mnist_models.training_run.job import Precision


@dataclass(frozen=True)
class Training:
    """One training of a recipe: an MLflow run."""

    recipe: Recipe
    seed: int
    data_digest: str
    precision: Precision
    device: str
    threads: int  # of an operation: more than one sum in another order
    start: "Training | None" = None  # the one that it continues
    seconds: float = 0.0  # expected on one core until all that continues it is done as well

    @cached_property
    def identity(self) -> str:
        """SHA-256 over all that decides the result. The same identity need not be trained twice."""
        parts = {
            "recipe": self.recipe.digest,
            "seed": self.seed,
            "data": self.data_digest,
            "precision": self.precision,
            "device": self.device,
            "threads": self.threads,
            "code": code_digest(),
            "start": self.start.identity if self.start else None,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def folder(self) -> str:
        """The name of its run directory."""
        return f"{self.recipe.name}-seed-{self.seed}-{self.identity[:12]}"


def plan_trainings(
    recipes: Iterable[Recipe],
    seeds: Iterable[int],
    data_digest: str,
    precisions: dict[str, Precision],
    device: str,
    threads: int,
) -> list[Training]:
    """Every recipe with every seed, those first whose chain of continuations takes longest.

    So no trainer idles at the end beside a long training, and whatever continues another comes after it.
    `precisions` maps the recipes' names to how each is trained on this machine.
    """
    chosen = {recipe.name: recipe for recipe in recipes}
    planned: dict[tuple[str, int], Training] = {}

    def add(recipe: Recipe, seed: int) -> Training:
        if (recipe.name, seed) not in planned:
            start = add(chosen[recipe.continues], seed) if recipe.continues else None
            precision = precisions[recipe.name]
            planned[recipe.name, seed] = Training(
                recipe, seed, data_digest, precision, device, threads, start, chain(recipe.name)
            )
        return planned[recipe.name, seed]

    def chain(name: str) -> float:
        following = [chain(other.name) for other in chosen.values() if other.continues == name]
        return chosen[name].seconds + max(following, default=0.0)

    for seed in seeds:
        for recipe in chosen.values():
            add(recipe, seed)
    return sorted(planned.values(), key=lambda training: -training.seconds)


@cache
def code_digest() -> str:
    """SHA-256 over the code that trains: the trainer, the split, and the libraries' versions."""
    here = Path(__file__).parent.parent
    files = [*sorted((here / "trainer").glob("*.py")), here / "recipe.py", here / "data" / "split.py"]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    digest.update(f"tensorflow {version('tensorflow')} keras {version('keras')}".encode())
    return digest.hexdigest()
