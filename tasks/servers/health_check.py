"""Whether a server answers and lets us in, checked before anything is started for it."""

import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted, split_credentials
from tasks.config.credentials import without_credentials
from tasks.config.library_defaults import set_defaults

SECONDS = 10.0
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306}
UNTRUSTED, UNAUTHORIZED, SERVER_ERROR = 0, 401, 500
MLFLOW_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
LONGEST_REASON = 200  # characters; what is longer is a page


class _Answer(NamedTuple):
    status: int  # of HTTP; UNTRUSTED, or 0 where a client does not tell it
    text: str = ""
    authorized: bool = False  # whether credentials were sent


class _Service(NamedTuple):
    name: str
    path: str  # answers a GET, with the same credentials as everything else
    log_in: Callable[[str], _Answer | None]  # one request through the library's client; None if it is let in
    credentials: str
    certificate: str
    hint: str


def answers(url: str, seconds: float = SECONDS) -> bool:
    """Return whether anything speaks HTTP there; a refusal (401, 404) is an answer too."""
    answer = _get(url, seconds)
    return answer is not None and answer.status != UNTRUSTED


def wait_until_answers(url: str, seconds: float) -> bool:
    """Ask five times a second for at most so long; return False if nothing has answered."""
    deadline = time.monotonic() + seconds
    while not answers(url, 1.0):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def check_reachable(setting: str, url: str) -> None:
    """Check that the server at an HTTP address is the right one and lets us in.

    Args:
        setting: the variable that names it, MLFLOW_TRACKING_URI or PREFECT_API_URL.
        url: its value; at a database's address something has to listen, and its first use shows whether it is right.

    Raises:
        Unavailable: nothing answers there, or something else, or it refuses our credentials; names the variable.
        InvalidInput: it is no address at all.
    """
    if "://" in url and not url.startswith(("http://", "https://")):
        if not _listens(url):
            raise Unavailable(f"{setting}: nothing listens at {redacted(url)}; start it, or unset the variable.")
        return
    try:
        address = without_credentials(url)
    except ValueError:
        address = ""
    if "://" not in address:
        raise InvalidInput(f"{setting}: not the address of a server, which starts with http:// or https://.")
    service = _SERVICES[setting]
    answer = _get(f"{address.rstrip('/')}{service.path}", SECONDS)
    if answer is None:
        raise Unavailable(f"{setting}: no server answers at {address}; start it, or unset the variable to do without.")
    # The library knows our credentials and certificates; neither would help against a server's own error.
    refusal = service.log_in(url) if answer.status < SERVER_ERROR else answer
    if refusal is not None:
        if refusal.status and answer.status in (UNTRUSTED, UNAUTHORIZED):
            answer = refusal
        raise Unavailable(f"{setting}: {_reason(service, address, answer, refusal.authorized)}.")


def _reason(service: _Service, address: str, answer: _Answer, authorized: bool) -> str:
    if answer.status == UNAUTHORIZED:
        request = "refuses our credentials; correct" if authorized else "asks for credentials; set"
        return f"the server at {address} {request} {service.credentials}"
    text = " ".join(answer.text.split())
    if answer.status == UNTRUSTED:
        cause, advice = f"the certificate of {address} is not trusted", "name the file of the authority behind it in"
        return f"{cause} ({text}); {advice} {service.certificate}"
    details = f"HTTP {answer.status}" + (f": {text}" if 0 < len(text) < LONGEST_REASON and "<" not in text else "")
    return f"what answers at {address} is not {service.name} at work ({details}); {service.hint}"


def _get(url: str, seconds: float) -> _Answer | None:
    """Return the answer to a GET without credentials; None if nothing speaks HTTP there."""
    try:
        with urllib.request.urlopen(without_credentials(url), timeout=seconds) as response:
            return _Answer(response.status, response.read(LONGEST_REASON).decode(errors="replace"))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _Answer(refusal.code, refusal.read(LONGEST_REASON).decode(errors="replace"))
    except (OSError, HTTPException, ValueError) as error:  # the last two for what is no address
        reason = getattr(error, "reason", error)
        return _Answer(UNTRUSTED, str(reason)) if isinstance(reason, ssl.SSLError) else None


def _listens(url: str) -> bool:
    """Return whether the server of a database takes connections; True for an address that names no host."""
    try:
        parts = urlsplit(url)
        port = parts.port or DATABASE_PORTS.get(parts.scheme.partition("+")[0])
        if parts.hostname and port:
            socket.create_connection((parts.hostname, port), SECONDS).close()
    except ValueError:  # a password with a slash in it; the database's own driver can tell
        return True
    except OSError:
        return False
    return True


def _log_in_to_mlflow(url: str) -> _Answer | None:
    set_defaults()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException, RestException
    from requests.exceptions import SSLError

    retries, os.environ[MLFLOW_RETRIES] = os.environ[MLFLOW_RETRIES], "0"
    try:
        MlflowClient(url).search_experiments(max_results=1)
        return None
    except MlflowException as error:
        # MLflow takes a refusal that is not in its own words, such as a proxy's, for HTTP 500.
        foreign = isinstance(error, RestException) and "error_code" not in error.json
        known = not foreign and not isinstance(error.__context__, SSLError)
        return _Answer(error.get_http_status_code() if known else 0, authorized=_mlflow_has_credentials(url))
    finally:
        os.environ[MLFLOW_RETRIES] = retries


def _mlflow_has_credentials(url: str) -> bool:
    user, password, token = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN"))
    file = Path("~/.mlflow/credentials").expanduser()
    return bool((user and password) or token or split_credentials(url)[1] or file.exists())


def _log_in_to_prefect(url: str) -> _Answer | None:
    set_defaults()
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    try:
        with (
            temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(sync_client=True, httpx_settings={"timeout": SECONDS}) as client,
        ):
            client.read_flows(limit=1)
        return None
    except httpx.HTTPStatusError as error:
        return _Answer(error.response.status_code, authorized="Authorization" in error.response.request.headers)
    except (httpx.HTTPError, ValueError):  # no connection, or an answer that makes no sense to Prefect's client
        return _Answer(0)


_SERVICES = {
    "MLFLOW_TRACKING_URI": _Service(
        "MLflow",
        "/api/2.0/mlflow/experiments/search?max_results=1",
        _log_in_to_mlflow,
        credentials="MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        certificate="MLFLOW_TRACKING_SERVER_CERT_PATH",
        hint="give the address at which MLflow's own UI opens",
    ),
    "PREFECT_API_URL": _Service(
        "Prefect",
        "/admin/version",
        _log_in_to_prefect,
        credentials="PREFECT_API_AUTH_STRING",
        certificate="PREFECT_API_SSL_CERT_FILE",
        hint="give the address of Prefect's API, which usually ends in /api",
    ),
}
