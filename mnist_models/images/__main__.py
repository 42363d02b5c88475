"""`python -m mnist_models.images`: a process that prepares image files, some at a time."""

from collections.abc import Callable

from mnist_models.processes.worker_loop import serve


def _prepare() -> Callable[[str], None]:
    from mnist_models.images.prepare_file import PrepareJob

    return lambda line: PrepareJob.from_line(line).do()


if __name__ == "__main__":
    serve(_prepare)
