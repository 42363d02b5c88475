"""Folders in which commands run as a user runs them: settings, made data, small recipes, ports for servers."""

import itertools
import os
import socket
from pathlib import Path

from made_data import make_dataset, write_npz

RECIPES = Path(__file__).parent / "recipes"  # for MNIST_RECIPES

# Below those that Linux gives to outgoing connections, and different for each process that tests run in: nobody
# takes a port between the moment that it is found free and the moment that its server starts.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.count(20_000 + 1_000 * (_WORKER % 12))


def free_port() -> int:
    """A port of the loopback address that nothing listens on; each is given once."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError


def write_settings(home: Path, name: str = "test", more: str = "") -> Path:
    """Write mlflow.yml, with `more` lines; gives the file. Few steps make no good model: the floor is low."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "mlflow.yml"
    file.write_text(f"experiment_name: {name}\nregistered_model: {name}-model\naccuracy_floor: 0.5\n{more}")
    return file


def make_home(home: Path, name: str = "test", more: str = "") -> Path:
    """Write the settings and a data set that is easy to learn; gives the file of the data."""
    write_settings(home, name, more)
    return write_npz(make_dataset(classes=4, side=16, train=300, test=80), home / "data.npz")


def environment_of(home: Path, drop: tuple[str, ...] = ("MLFLOW_", "PREFECT_"), **more: str) -> dict[str, str]:
    """This process's environment without the variables that begin with one of `drop`, for a command in that folder."""
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)} | {
        "MNIST_CONFIG": str(home / "mlflow.yml"),
        "MNIST_RECIPES": str(RECIPES),
        "PREFECT_HOME": str(home / "prefect"),
        "COLUMNS": "80",
        **more,
    }
