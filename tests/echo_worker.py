"""A worker process that imports nothing heavy: it does what the line of a job says."""

from collections.abc import Callable

from mnist_models.errors import InvalidInput
from mnist_models.processes.worker_loop import serve


def _prepare() -> Callable[[str], None]:
    def do(line: str) -> None:
        job = line.strip()
        print(f"the job is {job}")  # as a library might, which must not be taken for an answer
        if job == "refuse":
            raise InvalidInput("job: it is refused.")
        if job == "fail":
            raise RuntimeError("it fails")
        if job == "die":
            raise SystemExit(3)

    return do


if __name__ == "__main__":
    serve(_prepare)
