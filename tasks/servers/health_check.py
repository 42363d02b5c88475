"""Whether a server answers and lets us in, asked before anything is started for it."""

import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted
from tasks.config.credentials import without_credentials
from tasks.config.library_defaults import set_defaults

SECONDS = 10.0
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306}
UNAUTHORIZED = 401


def answers(url: str, seconds: float = SECONDS) -> bool:
    """Whether anything speaks HTTP there; a refusal (401, 404) is an answer too."""
    try:
        with urllib.request.urlopen(without_credentials(url), timeout=seconds):
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
    """See that the server at an HTTP address is the right one and lets us in.

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
        service, address = _SERVICES[setting], without_credentials(url)
    except ValueError:
        address = ""
    if "://" not in address:
        raise InvalidInput(f"{setting}: not the address of a server, which starts with http:// or https://.")
    answer = _ask(f"{address.rstrip('/')}{service.path}", service.question)
    if answer is None:
        raise Unavailable(f"{setting}: no server answers at {address}; start it, or unset the variable to do without.")
    if not service.recognises(answer):  # the library knows our credentials and certificates, but is slow to import
        answer = service.ask(url) or answer
    if service.recognises(answer):
        return
    if answer.status == UNAUTHORIZED:
        asks = "refuses our credentials; correct" if answer.authorized else "asks for credentials; set"
        raise Unavailable(f"{setting}: the server at {address} {asks} {service.credentials}.")
    if not answer.status:
        raise Unavailable(
            f"{setting}: the certificate of {address} is not trusted ({answer.words}); name the file of the authority"
            f" behind it in {service.certificate}."
        )
    raise Unavailable(
        f"{setting}: what answers at {address} is not {service.name} at work ({answer.words}); {service.hint}."
    )


@dataclass(frozen=True)
class _Answer:
    status: int  # 0 where no connection is trusted
    text: str
    authorized: bool = False  # whether credentials were sent

    @property
    def content(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def words(self) -> str:
        """The reason that a server gives, unless it is a whole page."""
        text = " ".join(self.text.split())
        said = [f"HTTP {self.status}"] if self.status else []
        return ": ".join(said + ([text] if 0 < len(text) < 200 and "<" not in text else []))


@dataclass(frozen=True)
class _Service:
    name: str
    path: str  # of what is answered only to those who may work there
    question: bytes | None  # to send there; None only gets
    kind: type  # of the JSON that it answers
    credentials: str  # the variables that hold them
    certificate: str
    hint: str
    ask: Callable[[str], _Answer | None]  # the same question, as the library itself asks it

    def recognises(self, answer: _Answer) -> bool:
        return answer.status == 200 and isinstance(answer.content, self.kind)


def _ask(url: str, question: bytes | None) -> _Answer | None:
    """Ask without credentials; None if nothing speaks HTTP there."""
    request = urllib.request.Request(url, question, {"Content-Type": "application/json"} if question else {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return _Answer(response.status, response.read().decode(errors="replace"))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _Answer(refusal.code, refusal.read().decode(errors="replace"))
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        return _Answer(0, str(reason)) if isinstance(reason, ssl.SSLError) else None


def _ask_as_mlflow(url: str) -> _Answer | None:
    set_defaults()
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    credentials = get_default_host_creds(url)
    try:
        response = http_request(credentials, MLFLOW_PATH, "GET", max_retries=0, timeout=SECONDS, raise_on_status=False)
    except MlflowException:
        return None
    return _Answer(response.status_code, response.text, "Authorization" in response.request.headers)


def _ask_as_prefect(url: str) -> _Answer | None:
    set_defaults()
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    try:
        with (
            temporary_settings({PREFECT_API_URL: url}),
            get_client(sync_client=True, httpx_settings={"timeout": SECONDS}) as client,
        ):
            response = client.request("POST", "/flows/filter", json={"limit": 1})
    except httpx.HTTPStatusError as refusal:
        response = refusal.response
    except (httpx.HTTPError, ValueError):  # no connection, or an answer that makes no sense to Prefect's client
        return None
    return _Answer(response.status_code, response.text, "Authorization" in response.request.headers)


MLFLOW_PATH = "/api/2.0/mlflow/experiments/search?max_results=1"
_SERVICES = {
    "MLFLOW_TRACKING_URI": _Service(
        name="MLflow",
        path=MLFLOW_PATH,
        question=None,
        kind=dict,
        credentials="MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        certificate="MLFLOW_TRACKING_SERVER_CERT_PATH",
        hint="give the address at which MLflow's own UI opens",
        ask=_ask_as_mlflow,
    ),
    "PREFECT_API_URL": _Service(
        name="Prefect",
        path="/flows/filter",
        question=b'{"limit": 1}',
        kind=list,
        credentials="PREFECT_API_AUTH_STRING",
        certificate="PREFECT_API_SSL_CERT_FILE",
        hint="give the address of Prefect's API, which usually ends in /api",
        ask=_ask_as_prefect,
    ),
}
