"""How the trainings of a flow run ended, failures included."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture

from mnist_models.plan import Training
from mnist_models.recipes import all_recipes
from tasks.comparison import Row, row
from tasks.evaluation import Evaluated
from tasks.training import label


class RecipesFailed(RuntimeError):
    """Some recipes have not ended as they should; the flow run fails with their names, after all else is done."""

    def __init__(self, names: Sequence[str], summary: dict[str, Any]) -> None:
        super().__init__(f"not finished: {', '.join(names)}")
        self.summary = summary


@dataclass(frozen=True)
class Outcomes:
    """Rows in the recipes' own order, and by name what could be evaluated."""

    rows: tuple[Row, ...]
    evaluated: dict[str, Evaluated]

    def check(self, summary: dict[str, Any]) -> None:
        """Raise RecipesFailed if any recipe did not end as it should."""
        failed = [each.name for each in self.rows if not each.expected]
        if failed:
            raise RecipesFailed(failed, summary)


def collect(
    trainings: Sequence[Training], futures: Mapping[str, tuple[PrefectFuture[Any], ...]], seeds: int
) -> Outcomes:
    """Wait for all trainings and their analyses."""
    order = list(all_recipes())
    rows: list[Row] = []
    evaluated: dict[str, Evaluated] = {}
    for training in sorted(trainings, key=lambda each: (order.index(each.recipe.name), each.seed)):
        name = label(training, seeds)
        results = [future.result(raise_on_failure=False) for future in futures[training.identity]]
        if isinstance(results[-1], Evaluated):
            evaluated[name] = results[-1]
            rows.append(row(name, results[-1]))
        else:
            first = next(result for result in results if isinstance(result, BaseException))
            reason = str(first).strip().splitlines()[-1] if str(first).strip() else type(first).__name__
            rows.append(Row(training.recipe.name, training.seed, name, "failed", expected=False, reason=reason))
    return Outcomes(tuple(rows), evaluated)
