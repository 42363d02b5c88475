"""How the environment lets us reach servers: never our own loopback address through a proxy."""

import ipaddress
import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from mnist_models.errors import InvalidInput

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXY = re.compile(r"(http|https|all|ws|wss)_proxy", re.IGNORECASE)
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def reach_loopback_directly(own_host: str, *servers: str) -> None:
    """Exempt this machine from the proxies in the environment, for us and our children; idempotent.

    Args:
        own_host: where our own servers listen.
        servers: the addresses of others; one on the loopback address is exempted by the name that it is given there.

    Raises:
        InvalidInput: a proxy's address, or a file of certificates, with which not even a client can be made.
    """
    for name in _CERTIFICATES:
        if (value := os.environ.get(name)) and not Path(value).exists():
            raise InvalidInput(f"{name}: {value} does not exist; correct it, or unset the variable.")
    proxies = {name: value for name, value in os.environ.items() if value and _PROXY.fullmatch(name)}
    for name, value in proxies.items():
        _check_proxy(name, value)
        # A client that meets an address of a kind that it cannot use fails before it looks at the exceptions.
        if value.lower().startswith("socks") and find_spec("socksio") is None:
            del os.environ[name]
    if not proxies:  # where the system names the proxies, its own exceptions hold only while the variable is unset
        return
    exempted = ",".join(os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    hosts = [host for host in (each.strip() for each in exempted.split(",")) if host]
    hosts += [*LOOPBACK, own_host, *_loopback_hosts(servers)]
    # Some read the one, some the other, and most prefer the first.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys(hosts))


def _check_proxy(name: str, value: str) -> None:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:  # it may hold a password, so it is not repeated
        raise InvalidInput(f"{name}: not the address of a proxy, such as http://proxy.example:3128.")


def _loopback_hosts(servers: tuple[str, ...]) -> list[str]:
    hosts = []
    for address in servers:
        try:
            host = urlsplit(address).hostname or ""
            loopback = host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
        except ValueError:  # a name, or no address at all
            continue
        hosts += [host] if loopback else []
    return hosts
