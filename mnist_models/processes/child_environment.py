"""The part of this process's environment that a trainer process gets."""

import os

from mnist_models.processes.import_path import safe_path

SERVERS = ("MLFLOW_", "PREFECT_")
SECRETS = ("PASSWORD", "TOKEN", "SECRET", "API_KEY", "AUTH_STRING")


def inherited_environment() -> dict[str, str]:
    """Everything but credentials, and the addresses of servers, which may hold some: a trainer talks to none."""
    return safe_path(
        {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(SERVERS) and not any(word in name.upper() for word in SECRETS)
        }
    )
