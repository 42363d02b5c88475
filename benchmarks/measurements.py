"""Where the benchmarks' figures are kept: docs/benchmarks.json, from which the tables of docs/speed.md are written."""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mnist_models.trainer_pool.machine import machine

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.json"


def fraction_asked(description: str) -> float:
    """The benchmark's only option: `--fraction 0.1` for a short look, whose figures are shown and not kept."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--fraction", type=float, default=1.0, help="of the full length; below 1 nothing is kept")
    fraction: float = parser.parse_args().fraction
    if not 0 < fraction <= 1:
        parser.error(f"--fraction: {fraction} is not above 0 and at most 1")
    return fraction


def keep(name: str, figures: dict[str, Any], fraction: float) -> None:
    """Print a benchmark's figures, and keep them if it ran in full."""
    print(json.dumps({name: figures}, indent=2), flush=True)
    if fraction == 1:
        FILE.parent.mkdir(exist_ok=True)
        marked = {"processor": _processor()} | figures  # each may have been measured on another machine
        FILE.write_text(json.dumps(kept() | {"machine": _machine(), name: marked}, indent=2) + "\n")


def kept() -> dict[str, Any]:
    """All figures by benchmark."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def _machine() -> dict[str, Any]:
    here = machine()
    return {
        "processor": _processor(),
        "trainers": here.workers,
        "choices": {each.name: f"{each.value}: {each.why}" for each in here.choices},
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "mlflow", "prefect")},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if platform.system() == "Linux" else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()
