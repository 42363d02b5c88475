"""The part of this process's environment that a trainer process gets."""

import os

SECRETS = ("PASSWORD", "TOKEN", "SECRET", "API_KEY", "AUTH_STRING")


def inherited_environment() -> dict[str, str]:
    """Everything but credentials: a trainer talks to no server."""
    return {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRETS)}
