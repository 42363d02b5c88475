"""`python -m mnist_models.trainer`: the training process; it can be killed at any time, the last checkpoint stays."""

import sys
from collections.abc import Callable

from mnist_models.processes.worker_loop import serve


def _prepare() -> Callable[[str], None]:
    # Keras would import it, for wrappers that are not used here, and that takes a second or two.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    # The 6 to 11 s import happens while the parent starts.
    from mnist_models.trainer.inference import predict
    from mnist_models.trainer.training import train
    from mnist_models.training_run.job import ExportJob, PredictJob, from_line
    from mnist_models.training_run.run_directory import RunDirectory

    def do(line: str) -> None:
        job = from_line(line)
        if isinstance(job, PredictJob):
            predict(job)
        elif isinstance(job, ExportJob):
            from mnist_models.trainer.exports.export import export

            export(job)
        else:
            train(job, RunDirectory(job.directory).recipe())

    return do


if __name__ == "__main__":
    serve(_prepare)
