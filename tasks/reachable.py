"""Whether a server answers, asked before anything is started for it."""

import time
import urllib.error
import urllib.request
from http.client import HTTPException

from mnist_models.errors import Unavailable
from mnist_models.redaction import redacted, split_credentials

SECONDS = 10.0


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


def check_reachable(setting: str, url: str) -> None:
    """Raise Unavailable, naming the setting, if nothing answers at an HTTP address."""
    if url.startswith(("http://", "https://")) and not answers(url):
        raise Unavailable(
            f"{setting}: no server answers at {redacted(url)}; start it, or unset the variable to do without."
        )
