"""Where a Prefect server that we start keeps its records: in the project's folder, unless the user has chosen a place.

So two projects on one machine do not see, run or cancel each other's runs.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from tasks.config.settings import Settings

CHOICES = (
    "PREFECT_HOME",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "PREFECT_SERVER_DATABASE_HOST",
    "PREFECT_SERVER_DATABASE_NAME",
)


def prefect_home(settings: Settings) -> Path | None:
    """Return the project's own folder of Prefect's records; None if the user has chosen another place."""
    active = profile()
    chosen = any(os.environ.get(name) or active.get(name) for name in CHOICES)
    return None if chosen else settings.state / "prefect"


def server_environment(settings: Settings) -> dict[str, str]:
    """Return what a server needs beside this process's variables; the folder is made."""
    variables = {"PREFECT_SERVER_API_BASE_PATH": "/api"}  # where we look for it, whatever the environment says
    home = prefect_home(settings)
    if home is None:
        return variables
    home.mkdir(parents=True, exist_ok=True)
    variables["PREFECT_HOME"] = str(home)
    if profiles_file().exists():  # what the user has set there goes on to count
        variables["PREFECT_PROFILES_PATH"] = str(profiles_file())
    return variables


def profiles_file() -> Path:
    """Return where Prefect looks for the user's profiles."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    return Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")


def profile() -> dict[str, Any]:
    """Return the variables of the profile in use, without importing Prefect, which takes a second."""
    try:
        content = tomllib.loads(profiles_file().read_text())
        name = os.environ.get("PREFECT_PROFILE") or content.get("active")
        found = content.get("profiles", {}).get(name, {})
    except (OSError, ValueError, AttributeError):  # Prefect itself tells of a file that is no such one
        return {}
    return found if isinstance(found, dict) else {}
