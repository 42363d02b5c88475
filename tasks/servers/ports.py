"""Whether a port is free."""

import socket

from mnist_models.errors import InvalidInput


def check_port_free(host: str, setting: str, port: int) -> None:
    """Raise InvalidInput, which names the setting, if something else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInput(
                f"mlflow.yml: {setting}: {host}:{port} cannot be used ({error.strerror}); end what listens there, or"
                f" choose another with MLFLOW_{setting.upper()}."
            ) from None
