"""Proxies in the environment: our own loopback address is never reached through one, a remote server still is."""

import os
import subprocess
import sys

import pytest
from loopback import Handler, serving

from mnist_models.errors import InvalidInput
from tasks.config.network import reach_loopback_directly

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

# What each client of ours answers: whether the server itself or the proxy did.
ASK = """
import sys
from urllib.request import urlopen
import httpx, requests
from tasks.config.settings import load_settings
from tasks.servers.health_check import answers

load_settings()
url = sys.argv[1]
print(urlopen(url).read().decode(), httpx.get(url).text, requests.get(url).text, answers(url))
"""


@pytest.fixture
def bare(monkeypatch):
    """An environment without proxies; what is set meanwhile is unset afterwards."""
    for name in (*NAMES, *(name.upper() for name in NAMES), *CERTIFICATES):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def answering(text):
    class Answer(Handler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

    return serving(Answer)


@pytest.mark.slow
@pytest.mark.fault(26)
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("exempted", ["", "internal.example, 10.0.0.0/8"])
def test_no_client_reaches_the_loopback_address_through_a_proxy(home, bare, upper, exempted):
    with answering(b"server") as server, answering(b"proxy") as proxy:
        for name in NAMES[:3]:
            bare.setenv(name.upper() if upper else name, f"http://127.0.0.1:{proxy.server_port}")
        bare.setenv("NO_PROXY" if upper else "no_proxy", exempted)
        url = f"http://127.0.0.1:{server.server_port}/"
        asked = subprocess.run([sys.executable, "-c", ASK, url], capture_output=True, text=True, timeout=60)
        assert asked.stdout == "server server server True\n", asked.stderr
        remote = subprocess.run(
            [sys.executable, "-c", ASK, "http://mlflow.example/"], capture_output=True, text=True, timeout=60
        )
        assert remote.stdout == "proxy proxy proxy True\n", remote.stderr


@pytest.mark.fault(26)
def test_a_proxy_that_no_client_can_use_is_not_met(bare):
    bare.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    reach_loopback_directly("127.0.0.1")
    import httpx

    httpx.Client().close()  # it says that a package is missing, if it finds such a proxy


def test_what_was_exempted_stays_so_and_other_loopback_names_are_added(bare):
    bare.setenv("no_proxy", "a.example")
    bare.setenv("NO_PROXY", "b.example,*")
    bare.setenv("https_proxy", "proxy.example:3128")
    for _ in range(2):
        reach_loopback_directly("192.168.1.5", "http://127.0.0.9:5000", "http://mlflow.example", "sqlite:///x.db", "")
        expected = "a.example,b.example,*,127.0.0.1,localhost,::1,192.168.1.5,127.0.0.9"
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == expected


def test_without_a_proxy_nothing_is_set(bare):
    reach_loopback_directly("127.0.0.1")
    assert "no_proxy" not in os.environ


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("http_proxy", "http://user:secret@[", "http_proxy: not the address of a proxy"),
        ("ALL_PROXY", "http://proxy.example:port", "ALL_PROXY: not the address of a proxy"),
        ("SSL_CERT_FILE", "/no/where.pem", "SSL_CERT_FILE: /no/where.pem does not exist"),
    ],
)
def test_what_would_fail_in_every_client_is_one_sentence(bare, name, value, words):
    bare.setenv(name, value)
    with pytest.raises(InvalidInput, match=words) as refusal:
        reach_loopback_directly("127.0.0.1")
    assert "secret" not in str(refusal.value)
