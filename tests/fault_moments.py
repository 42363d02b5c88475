"""Moments in the life of `mnist train`, each told by what the command has done by then, never by the time it took."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil
from fault_place import Place
from waiting import family, wait_for

Condition = Callable[[Place], object]
STEP = "a step of "


@dataclass(frozen=True)
class Moment:
    """It has come once the condition holds."""

    name: str
    reached: Condition


def _file(pattern: str) -> Condition:
    """Something of the state exists."""
    return lambda place: place.files(pattern)


def _rows(query: str) -> Condition:
    """The store holds such a row."""
    return lambda place: place.query(query)


# In the order in which they come. The training of `middle` takes longest, and has most to lose.
MOMENTS: dict[str, Condition] = {
    "the data is prepared": _file("data/*"),
    "the first line": Place.output,
    "a trainer starts": _file("logs/trainer-*.log"),
    "the flow run shows that it lives": _file("flows/*.json"),
    "the flow run's MLflow run": _rows("select 1 from runs"),
    "a training begins": _file("runs/small-seed-*/recipe.json"),
    "a training's MLflow run": _rows("select 1 from tags where key = 'recipe'"),
    f"{STEP}small": bool,
    "the first result": _file("runs/small-seed-*/result.json"),
    "the first test accuracy": _rows("select 1 from metrics where key = 'test/accuracy'"),
    "the first figure": _file("artifacts/**/figures/*.png"),
    f"{STEP}small_best": bool,
    "a checkpoint": _file("runs/middle-seed-*/checkpoint.npz"),
    **{f"{STEP}middle ({number})": bool for number in range(4)},
    "the last result": _file("runs/middle-seed-*/result.json"),
    "the comparison": _file("artifacts/**/comparison.csv"),
    "a version": _rows("select 1 from model_versions"),
    "a champion": _rows("select 1 from registered_model_aliases"),
    "the summary": lambda place: "Champion:" in place.output(),
}


def random_moment(order: Random, point: int, chance: Random, control: Place) -> Moment:
    """The point-th of all in a random order, at a random step if it is one."""
    names = [*MOMENTS]
    order.shuffle(names)
    name = names[point % len(names)]
    if not name.startswith(STEP):
        return Moment(name, MOMENTS[name])
    recipe = name.removeprefix(STEP).split()[0]
    step = chance.randrange(1, control.step(recipe))
    return Moment(f"step {step} of {recipe}", lambda place: place.step(recipe) >= step)


def wait_until(moment: Moment, place: Place) -> list[psutil.Process]:
    """Until the moment comes or the command ends; gives all processes that were seen below it."""
    seen: dict[int, psutil.Process] = {}

    def reached() -> bool:
        seen.update({each.pid: each for each in family(place.process.pid)})
        return bool(moment.reached(place)) or has_ended(place)

    print(f"the moment: {moment.name}")
    wait_for(reached)
    return list(seen.values())


def has_ended(place: Place) -> bool:
    """Whether the command has ended; its process id stays taken, so that a late signal hits nobody else."""
    return os.waitid(os.P_PID, place.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def stop(place: Place) -> None:
    """Hold the command where it is, until it gets SIGCONT."""
    os.kill(place.process.pid, signal.SIGSTOP)
    wait_for(lambda: psutil.Process(place.process.pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE))


def ignores(place: Place, number: int) -> bool:
    """Whether the command ignores that signal now; Linux only."""
    lines = Path(f"/proc/{place.process.pid}/status").read_text().splitlines()
    (mask,) = (line.split()[1] for line in lines if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (number - 1) & 1)
