"""Where Python looks for modules: never in the current folder by itself, where files of any name may lie."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def safe_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, changed so that no Python in it imports modules from the current folder by itself.

    Folders that PYTHONPATH names stay. An empty entry in it, which is left where something is appended to a variable
    that is not set, means the current folder.
    """
    folders = _named_folders(environment)
    return {
        **{name: value for name, value in environment.items() if name != "PYTHONPATH"},
        **({"PYTHONPATH": os.pathsep.join(folders)} if folders else {}),
        "PYTHONSAFEPATH": "1",
    }


def leave_out_current_folder() -> None:
    """Import nothing from the current folder from now on, here and in child processes, unless PYTHONPATH names it."""
    os.environ["PYTHONSAFEPATH"] = "1"
    with suppress(FileNotFoundError):  # the current folder has been removed
        here, named = Path.cwd().resolve(), {Path(folder).resolve() for folder in _named_folders(os.environ)}
        if here not in named | {SOURCE}:
            sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != here]


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module; unlike a plain `python -m`, it imports none from the current folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _named_folders(environment: Mapping[str, str]) -> list[str]:
    return [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
