"""Whether the state folder, and what lies in it, can be written."""

import os
import pwd
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mnist_models.errors import Unavailable
from tasks.config.settings import Settings

FOLDERS = (
    "runs",
    "flows",
    "data",
    "reports",
    "logs",
    "artifacts",
    "prefect",
)  # what we, MLflow and Prefect write there
MOST_LOOKED_AT = 20_000  # in each of them


def check_state(settings: Settings) -> None:
    """Raise Unavailable, which names what is in the way, if something there cannot be written; nothing is made."""
    state = settings.state
    nearest = next(each for each in (state, *state.parents) if os.path.lexists(each))
    _check_folder(nearest)
    if nearest != state:
        return
    folders = [state / name for name in FOLDERS if os.path.lexists(state / name)]
    for folder in folders:
        _check_folder(folder)
    for place in _contents(state, folders):
        _check_writable(place, os.W_OK)


def _contents(state: Path, folders: list[Path]) -> Iterator[Path]:
    for pattern in ("*.db", "*.lock", "*.json"):
        yield from state.glob(pattern)
    for folder in folders:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in islice(entries, MOST_LOOKED_AT))


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Unavailable(f"{folder} is in the way, because a folder is needed there: move it away.")
    _check_writable(folder, os.W_OK | os.X_OK)


def _check_writable(place: Path, mode: int) -> None:
    if os.access(place, mode) or not place.exists():  # what others have just removed
        return
    raise Unavailable(
        f"{place} cannot be written to: {_reason(place)}; give yourself the right to, or move mlflow.yml to a folder of"
        " yours, because the state is kept beside it."
    )


def _reason(place: Path) -> str:
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return "its disk is mounted read-only"
    owner = place.stat().st_uid
    if owner == os.geteuid():
        return "its permissions forbid it"
    try:
        return f"it belongs to {pwd.getpwuid(owner).pw_name}"
    except KeyError:
        return f"it belongs to user {owner}"
