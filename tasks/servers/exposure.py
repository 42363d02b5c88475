"""Who may reach the servers: other machines only if both servers ask for a password."""

import ipaddress
import os
import socket

from mnist_models.errors import InvalidInput

PREFECT_PASSWORD = "PREFECT_SERVER_API_AUTH_STRING"
MLFLOW_PASSWORDS = ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address; raise InvalidInput if it is not an address."""
    try:
        addresses = {ipaddress.ip_address(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        raise InvalidInput(f"host: {host!r} is not an address; give 127.0.0.1, or 0.0.0.0 for all networks.") from None
    return all(address.is_loopback for address in addresses)


def mlflow_asks_for_password() -> bool:
    """Return whether MLflow's server has to start with its own authentication."""
    return all(os.environ.get(name) for name in MLFLOW_PASSWORDS)


def check_exposure(host: str) -> None:
    """Raise InvalidInput if others can reach the address and a server asks for no password."""
    missing = [name for name in (PREFECT_PASSWORD, *MLFLOW_PASSWORDS) if not os.environ.get(name)]
    if not is_loopback(host) and missing:
        raise InvalidInput(
            f"host: {host} lets others in, and both servers must ask them for a password: set {', '.join(missing)}"
            " (docs/teams.md says how), or stay with 127.0.0.1."
        )
