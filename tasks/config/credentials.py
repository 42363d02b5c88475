"""The credentials in the addresses of servers and databases: used, but never shown."""

import os

from mnist_models.errors import InvalidInput
from mnist_models.redaction import split_credentials


def without_credentials(address: str) -> str:
    """The address of a server or a database without user name and password; any other as it is."""
    return split_credentials(address)[0]


def hand_to_mlflow(address: str) -> None:
    """Put the credentials in the address of an MLflow server, if there are any, where MLflow looks for them.

    MLflow would find them in the address too, but repeats the address in its messages.
    """
    if address.startswith(("http://", "https://")):
        _, user, password = split_credentials(address)
        if user:
            os.environ["MLFLOW_TRACKING_USERNAME"] = user
            os.environ["MLFLOW_TRACKING_PASSWORD"] = password


def hand_to_prefect(address: str) -> None:
    """Let Prefect work with the server at `address`; the credentials in it, if any, go where Prefect takes them.

    Prefect would find them in the address too, but that is shown and linked to. Raise InvalidInput if it is none.
    """
    try:
        url, user, password = split_credentials(address)
    except ValueError:
        raise InvalidInput("PREFECT_API_URL: must be an address such as http://127.0.0.1:4200/api.") from None
    os.environ["PREFECT_API_URL"] = url
    if user:
        os.environ.setdefault("PREFECT_API_AUTH_STRING", f"{user}:{password}")
