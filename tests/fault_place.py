"""A folder in which `mnist` runs as a process of its own, to be killed, and what must be true of it afterwards."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
from homes import environment_of, make_home
from waiting import SECONDS, assert_gone, family

PYTHON = sys.executable
MACHINES = ("memory/", "speed/", "system/")  # metrics that no two runs have alike


class Place:
    """A home with small recipes and made data."""

    def __init__(
        self, home: Path, empty_store: Path | None, name: str = "test", settings: str = "", **environment: str
    ) -> None:
        self.home, self.name = home, name
        self.data = make_home(home, name, settings)
        self.environment = environment_of(home, **environment)
        self.store = home / "state" / "mlflow.db"
        if empty_store is not None:  # to make its tables takes seconds
            self.store.parent.mkdir()
            shutil.copy(empty_store, self.store)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`mnist …` in a process group of its own, as a terminal would start it."""
        return self.start_python("-m", "flows", *arguments)

    def start_python(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Python in a process group of its own."""
        with (self.home / "output.txt").open("wb") as output:
            self.process = subprocess.Popen(
                [PYTHON, *arguments],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def output(self) -> str:
        return (self.home / "output.txt").read_text()

    def wait(self, seconds: float = SECONDS) -> tuple[int, str]:
        """Exit status, that of a signal as a shell gives it, and what was printed."""
        status = self.process.wait(seconds)
        return status if status >= 0 else 128 - status, self.output()

    def train(self, recipes: str, *more: str) -> subprocess.Popen[bytes]:
        return self.start("train", "--recipes", recipes, "--data", str(self.data), *more)

    def run(self, *arguments: str, seconds: float = SECONDS) -> tuple[int, str]:
        """Exit status and what was printed."""
        self.start(*arguments)
        return self.wait(seconds)

    def finish(self, recipes: str, *more: str, seconds: float = SECONDS) -> tuple[int, str]:
        return self.run("train", "--recipes", recipes, "--data", str(self.data), *more, seconds=seconds)

    def kill(self) -> list[psutil.Process]:
        """`kill -9` of the process group; gives who belonged to it."""
        everyone = family(self.process.pid)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return everyone

    def end(self) -> None:
        """Whatever a test has left running."""
        if self.process is not None and self.process.poll() is None:
            assert_gone(self.kill())

    def query(self, text: str, *values: object) -> list[tuple]:
        store = sqlite3.connect(self.store, timeout=60)
        try:
            return store.execute(text, values).fetchall()
        finally:
            store.close()

    def run_folder(self, recipe: str) -> Path:
        (folder,) = [each for each in (self.home / "state" / "runs").glob(f"{recipe}-seed-*") if each.is_dir()]
        return folder

    def files(self, pattern: str) -> list[Path]:
        """Of the state."""
        return [*(self.home / "state").glob(pattern)]

    def result(self, recipe: str) -> int | None:
        """When a training's result was written; None before."""
        return next((file.stat().st_mtime_ns for file in self.files(f"runs/{recipe}-seed-*/result.json")), None)

    def runs(self) -> list[tuple[str, str, str]]:
        """Id, name and status of all runs of this place's experiment."""
        return self.query(
            "select run_uuid, runs.name, status from runs join experiments using (experiment_id)"
            " where experiments.name = ?",
            self.name,
        )

    def versions(self) -> list[tuple[int]]:
        return self.query("select version from model_versions where name = ?", f"{self.name}-model")

    def step(self, recipe: str) -> int:
        """The last step that the log of a training shows; 0 before the first."""
        for file in self.files(f"runs/{recipe}-seed-*/metrics.jsonl"):
            lines = file.read_bytes().rsplit(b"\n", 2)
            if len(lines) > 1 and lines[-2]:
                return json.loads(lines[-2])["step"]
        return 0


def weights(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "checkpoint.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name != "state"}


def logged(folder: Path) -> Counter:
    """How often the log of a training holds which value of which metric at which step."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return Counter(
        (name, record["step"], value)
        for record in records
        for name, value in record.items()
        if name not in ("step", "time") and not name.startswith(MACHINES)
    )


def stored(place: Place, recipe: str) -> tuple[str, Counter]:
    """The MLflow run of a recipe, of which there must be one, and how often it holds which value."""
    found = place.query(
        "select run_uuid from tags join runs using (run_uuid) join experiments using (experiment_id)"
        " where key = 'recipe' and value = ? and experiments.name = ?",
        recipe,
        place.name,
    )
    assert len(found) == 1, f"{recipe} has {len(found)} runs in MLflow"
    rows = place.query("select key, step, value from metrics where run_uuid = ?", found[0][0])
    return found[0][0], Counter(
        row for row in rows if not row[0].startswith((*MACHINES, "test/", "kept/", "model/")) and "/" in row[0]
    )


def compare(control: Place, place: Place, recipes, injection) -> None:
    """Weights, log, store and registry are what they are without the fault; notes what is lost and doubled."""
    for recipe in recipes:
        expected, found = control.run_folder(recipe), place.run_folder(recipe)
        before, after = weights(expected), weights(found)
        assert before.keys() == after.keys()
        for name in before:
            np.testing.assert_array_equal(before[name], after[name], err_msg=f"{recipe}: {name}")
        wanted = logged(expected)
        run_id, in_store = stored(place, recipe)
        for what in (logged(found), in_store):
            injection.lost += sum((wanted - what).values())
            injection.doubled += sum((what - wanted).values())
        assert (injection.lost, injection.doubled) == (0, 0), f"{recipe}: lost, doubled"
        assert place.query("select status from runs where run_uuid = ?", run_id) == [("FINISHED",)]
        tests = place.query("select count(*) from metrics where run_uuid = ? and key = 'test/accuracy'", run_id)
        assert tests == [(1,)]
        assert len(place.query("select 1 from logged_models where source_run_id = ?", run_id)) == 1
    check_store(place)


def check_store(place: Place) -> None:
    """No run is left RUNNING, and one version serves."""
    assert {status for _, _, status in place.runs()} <= {"FINISHED", "KILLED", "FAILED"}, place.runs()
    assert len(place.versions()) == 1
    aliases = place.query("select alias from registered_model_aliases where name = ?", f"{place.name}-model")
    assert aliases == [("champion",)]
