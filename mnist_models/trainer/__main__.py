"""`python -m mnist_models.trainer`: the training process; it can be killed at any time, the last checkpoint stays."""

import sys
from collections.abc import Callable

from mnist_models.processes.worker_loop import serve


def main() -> None:
    """Serve jobs until the parent is gone."""
    serve(_prepare)


def _prepare() -> Callable[[str], None]:
    # Keras would import it, for wrappers that are not used here, and that takes a second or two.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    # The 6 to 11 s import happens while the parent starts.
    from mnist_models.recipe_catalog import find_recipe
    from mnist_models.trainer.prediction import predict
    from mnist_models.trainer.training import train
    from mnist_models.training_run.job import PredictJob, from_line

    def do(line: str) -> None:
        job = from_line(line)
        if isinstance(job, PredictJob):
            predict(job)
        else:
            train(job, find_recipe(job.recipe))

    return do


if __name__ == "__main__":
    main()
