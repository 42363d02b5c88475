"""Where the benchmarks run the pipeline: in folders of their own, watched from outside."""

import math
import os
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mnist_models.data.official.load import cache_folder

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "benchmarks" / "recipes"  # for MNIST_RECIPES


@dataclass(frozen=True)
class Measured:
    """What a command took."""

    began: float  # Unix seconds
    seconds: float
    first_line_seconds: float  # until it printed something
    peak_mb: dict[str, float]  # resident memory of the command itself, and the largest of each kind of its processes
    core_seconds: dict[str, float]  # processor time of the command itself, and of each kind of its processes together
    output: str


class Place:
    """A folder with a state, a home and a Prefect database of its own; the downloaded data is shared."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mlflow.yml").write_text("experiment_name: benchmark\n")
        self.environment = os.environ | {
            "HOME": str(folder / "home"),
            "PREFECT_HOME": str(folder / "prefect"),
            "MNIST_CACHE": str(cache_folder()),
            "MNIST_CONFIG": str(folder / "mlflow.yml"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **environment,
        }
        for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
            self.environment.pop(name, None)

    def mnist(self, *arguments: str) -> Measured:
        """Run `mnist …`."""
        return self.run("-m", "flows", *arguments)

    def run(self, *arguments: str) -> Measured:
        """Run Python with these arguments, to the end.

        Raises:
            RuntimeError: it did not end with exit status 0; the message is what it printed.
        """
        moment, began = time.time(), time.monotonic()
        with (self.folder / "output.txt").open("w+b") as output:
            process = psutil.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
            watcher = _Watcher(process, Path(output.name))
            watcher.start()
            status = process.wait()
            seconds = time.monotonic() - began
            watcher.join()
            output.seek(0)
            text = output.read().decode(errors="replace")
        if status:
            raise RuntimeError(f"{' '.join(arguments)} ended with {status}:\n{text[-2000:]}")
        first_line = watcher.first_line_at - began
        return Measured(moment, seconds, first_line, dict(watcher.peaks), watcher.core_seconds(), text)


class _Watcher(threading.Thread):
    """Notes memory and processor time of a process and all below it, and when it first prints something."""

    def __init__(self, process: psutil.Popen, output: Path) -> None:
        super().__init__(daemon=True)
        self.peaks: dict[str, float] = defaultdict(float)
        self.first_line_at = math.inf
        self._process, self._output = process, output
        self._times: dict[int, tuple[str, float]] = {}

    def run(self) -> None:
        """Look until the process ends."""
        while self._process.poll() is None:
            printed = self._output.stat().st_size > 0
            if printed:
                self.first_line_at = min(self.first_line_at, time.monotonic())
            with suppress(psutil.Error):
                for one in (self._process, *self._process.children(recursive=True)):
                    with suppress(psutil.Error):
                        if not (command := one.cmdline()):
                            continue  # it has just ended
                        kind = "command" if one.pid == self._process.pid else _kind(command)
                        self.peaks[kind] = max(self.peaks[kind], one.memory_info().rss / 2**20)
                        taken = one.cpu_times()
                        self._times[one.pid] = kind, taken.user + taken.system
            time.sleep(0.25 if printed else 0.05)

    def core_seconds(self) -> dict[str, float]:
        """By kind, up to the last look at each process."""
        sums: dict[str, float] = defaultdict(float)
        for kind, seconds in self._times.values():
            sums[kind] += seconds
        return sums  # 0 for a kind of which no process was seen


def _kind(command: list[str]) -> str:
    words = " ".join(command)
    marks = {"mnist_models.trainer": "trainer", "mnist_models.figures": "drawing", "prefect": "server"}
    return next((kind for mark, kind in marks.items() if mark in words), "other")
