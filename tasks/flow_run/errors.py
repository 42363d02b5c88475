"""How a flow run ends badly."""

from collections.abc import Sequence
from typing import Any

from mnist_models.trainer_pool.errors import TrainingCancelled


class RunCancelled(TrainingCancelled):
    """The flow run was ended from Prefect's dashboard."""


class RecipesFailed(RuntimeError):
    """Some recipes have not ended as they should; the flow run fails with their names, after all else is done."""

    def __init__(self, names: Sequence[str], summary: dict[str, Any]) -> None:
        super().__init__(f"not finished: {', '.join(names)}")
        self.summary = summary
