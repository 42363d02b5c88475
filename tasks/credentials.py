"""User names and passwords in addresses: used, but never shown."""

import os
from urllib.parse import unquote, urlsplit, urlunsplit


def without_credentials(address: str) -> str:
    """The address of a server or a database without user name and password; any other as it is."""
    parts = urlsplit(address)
    if "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def hand_to_mlflow(address: str) -> None:
    """Put the credentials in the address of an MLflow server, if there are any, where MLflow looks for them.

    MLflow would find them in the address too, but repeats the address in its messages.
    """
    parts = urlsplit(address)
    if parts.scheme in ("http", "https") and parts.username:
        os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
