"""`python -m mnist_models.figures`: the process that draws; its other end is `renderer`."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mnist_models.processes.worker_loop import serve


def main() -> None:
    """Draw until the parent process has ended."""
    serve(_prepare)


def _prepare() -> Callable[[str], None]:
    from matplotlib import rcdefaults

    from mnist_models.data.arrays import facts_from_json, load_arrays
    from mnist_models.data.report.describe import describe
    from mnist_models.figures.data_report import write_report
    from mnist_models.figures.render import draw_comparison, draw_training
    from mnist_models.figures.renderer import Compared
    from mnist_models.training_run.run_directory import RunDirectory

    rcdefaults()  # Matplotlib has read a file matplotlibrc, of the current folder or of the user's
    load = lru_cache(maxsize=1)(load_arrays)  # the folder's name says its content

    def do(line: str) -> None:
        job: dict[str, Any] = json.loads(line)
        data, folder = load(Path(job["data"])), Path(job["folder"])
        if "compared" in job:
            compared = [Compared(**item | {"directory": Path(item["directory"])}) for item in job["compared"]]
            draw_comparison(compared, data.y_test, folder)
        elif "command" in job:
            told = replace(data, name=job["name"], source=job["source"], facts=facts_from_json(job["facts"]))
            write_report(describe(told, job["command"]), told, folder, job["most_sheets"])
        else:
            draw_training(RunDirectory(Path(job["directory"])), job["recipe"], data, folder)

    return do


if __name__ == "__main__":
    main()
