"""What is wrong with what a user has set: variables, how trainings share this machine, and files of recipes."""

import difflib
import importlib.util
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil

from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.processes.temporary_folder import check_temporary_folder
from mnist_models.recipe_catalog import broken_files
from mnist_models.trainer_pool.hardware import cores
from mnist_models.trainer_pool.machine import Machine, machine
from tasks.config.settings import Settings
from tasks.operations.finding import Finding

OURS = (
    *("MNIST_CACHE", "MNIST_CONFIG", "MNIST_DEVICE", "MNIST_PRECISION", "MNIST_RECIPES", "MNIST_THREADS"),
    *("MNIST_WORKERS", *(f"MLFLOW_{key.upper()}" for key in Settings.model_fields)),
)
PREFIX = re.compile("^(MNIST|MLFLOW)_")
NEAR = 0.75  # as difflib measures it
MLFLOWS = ("environment_variables.py", "cli/__init__.py", "utils/cli_args.py", "server/auth/__init__.py")
MOST_PER_CORE = 2  # threads, before they do little but wait for one another
MOST_PER_GPU = 4  # trainers
TRAINER_GB = 0.6  # of memory, for TensorFlow and a small network


def environment_findings() -> Iterator[Finding]:
    """Everything that is wrong with the environment of this process."""
    yield from _variables()
    yield from _proportions(machine())
    yield from _temporary_folder()
    for broken in broken_files():
        yield Finding(broken.sentence, f"mend {broken.file}, or take it away; until then its recipes are missing")


def _variables() -> Iterator[Finding]:
    """Those that nobody reads, but are called nearly as one of ours."""
    shorter = {PREFIX.sub("", name): name for name in OURS}
    for name in sorted(os.environ):
        if not PREFIX.match(name) or name in OURS or name in _mlflows():
            continue
        if near := difflib.get_close_matches(PREFIX.sub("", name), shorter, n=1, cutoff=NEAR):
            yield Finding(f"the variable {name} is set, but nothing reads it", f"did you mean {shorter[near[0]]}?")


@cache
def _mlflows() -> frozenset[str]:
    """The variables that MLflow reads, found without importing it, which takes seconds."""
    spec = importlib.util.find_spec("mlflow")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    texts = [(folder / name).read_text() for name in MLFLOWS if (folder / name).is_file()]
    return frozenset(re.findall(r"MLFLOW_\w+", "\n".join(texts)))


def _proportions(chosen: Machine) -> Iterator[Finding]:
    workers, here = chosen.workers, cores()
    if chosen.device == "gpu":
        gpus = len(chosen.gpus)
        if workers > MOST_PER_GPU * gpus:
            remedy = f"set MNIST_WORKERS to {gpus}, or unset it"
            yield Finding(f"{workers} trainers share the memory of {_count(gpus, 'GPU')}", remedy)
    elif workers * chosen.threads > MOST_PER_CORE * here:
        trainers = f"{_count(workers, 'trainer')} of {_count(chosen.threads, 'thread')} each"
        remedy = f"unset MNIST_WORKERS and MNIST_THREADS; there are then {here} with one thread each"
        yield Finding(f"{trainers} on {_count(here, 'core')} wait for one another", remedy)
    memory = psutil.virtual_memory().total / 1e9
    if workers * TRAINER_GB > memory:
        needed = f"{workers} trainers may take {workers * TRAINER_GB:.0f} GB of memory"
        yield Finding(f"{needed}, and this machine has {memory:.0f}", "set MNIST_WORKERS to fewer, or unset it")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _temporary_folder() -> Iterator[Finding]:
    try:
        check_temporary_folder()
    except (InvalidInput, Unavailable) as problem:
        what, _, remedy = str(problem).partition("; " if "; " in str(problem) else ": ")
        yield Finding(what, remedy.rstrip("."))
