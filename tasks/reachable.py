"""Whether a server answers, asked before anything is started for it."""

import socket
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from mnist_models.errors import Unavailable
from mnist_models.redaction import redacted, split_credentials

SECONDS = 10.0
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306}


def answers(url: str, seconds: float = SECONDS) -> bool:
    """Whether anything speaks HTTP there; a refusal (401, 404) is an answer too."""
    try:
        with urllib.request.urlopen(split_credentials(url)[0], timeout=seconds):
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True
    except (OSError, HTTPException, ValueError):  # the last two for what is no address
        return False


def wait_until_answers(url: str, seconds: float) -> bool:
    """Ask five times a second for at most so long; False if nothing has answered."""
    deadline = time.monotonic() + seconds
    while not answers(url, 1.0):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _listens(url: str) -> bool:
    """Whether the server of a database takes connections; True for an address that names no host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or DATABASE_PORTS.get(parts.scheme.partition("+")[0])
    except ValueError:  # a password with a slash in it; the database's own driver can tell
        return True
    if not host or not port:
        return True
    try:
        with socket.create_connection((host, port), SECONDS):
            return True
    except OSError:
        return False


def check_reachable(setting: str, url: str) -> None:
    """Raise Unavailable, naming the setting, if nothing answers at the address of a server."""
    if not (answers(url) if url.startswith(("http://", "https://")) else _listens(url)):
        raise Unavailable(
            f"{setting}: no server answers at {redacted(url)}; start it, or unset the variable to do without."
        )
