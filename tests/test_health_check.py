"""What is said about servers that do not answer, or not as they should."""

import datetime
import ipaddress
import re
import ssl
import time
from http.server import ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loopback import Handler, serving

from mnist_models.errors import InvalidInput, Unavailable
from tasks.servers.health_check import answers, check_reachable


class Stub(ThreadingHTTPServer):
    """Answers everything in the same way, but for Prefect's question whether there are CSRF tokens: there are none."""

    status, body, headers = 200, b"", {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/api"


class Answer(Handler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(404 if self.server.status == 200 and "/csrf-token" in self.path else self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET


VARIABLES = ("MLFLOW_TRACKING_URI", "PREFECT_API_URL")
CREDENTIALS = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "PREFECT_API_AUTH_STRING",
)
CERTIFICATES = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "PREFECT_API_SSL_CERT_FILE")
EMPTY = dict(zip(VARIABLES, (b"{}", b"[]"), strict=True))  # what the libraries ask for, where there is none


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """A server that answers everything in the same way, and nothing that lies about here to authorize us."""
    for name in (*CREDENTIALS, *CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(Answer, Stub) as server:
        yield server


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>a page of something else</html>", r"\(HTTP 200\)"),
        (200, b'"JSON of something else"', r"HTTP 200: "),
        (403, b"Invalid Host header", r"\(HTTP 403: Invalid Host header\)"),
        (500, b"", r"\(HTTP 500\)"),
    ],
)
def test_something_else_is_not_taken_for_a_server(stub, variable, status, body, words):
    stub.status, stub.body = status, body
    with pytest.raises(Unavailable, match=f"{variable}: what answers at {stub.address} is not .*{words}") as caught:
        check_reachable(variable, stub.address)
    assert "\n" not in str(caught.value)


def test_credentials_in_an_address_are_not_repeated(stub):
    stub.status = 401
    address = stub.address.replace("//", "//user:secret@")
    for variable in VARIABLES:
        with pytest.raises(Unavailable, match=re.escape(stub.address)) as caught:
            check_reachable(variable, address)
        assert "secret" not in str(caught.value)


def test_a_server_without_passwords_needs_none(stub):
    for variable, body in EMPTY.items():
        stub.body = body
        check_reachable(variable, stub.address)


@pytest.mark.parametrize("body", [b"You are not authenticated.", b'{"message": "Unauthorized"}'], ids=["text", "JSON"])
def test_missing_and_wrong_credentials_are_told_apart(stub, monkeypatch, body):
    stub.status, stub.body = 401, body
    for variable, names in zip(VARIABLES, (CREDENTIALS[:2], CREDENTIALS[3:]), strict=True):
        with pytest.raises(Unavailable, match=f"{variable}: .* asks for credentials; set {' and '.join(names)}"):
            check_reachable(variable, stub.address)
        for name in names:
            monkeypatch.setenv(name, "user:wrong")
        with pytest.raises(Unavailable, match=f"{variable}: .* refuses our credentials; correct {' and '.join(names)}"):
            check_reachable(variable, stub.address)


class Guarded(Answer):
    """Knows the right credentials."""

    def do_GET(self):
        self.server.status = 200 if self.headers.get("Authorization") else 401
        Answer.do_GET(self)

    do_POST = do_GET


def test_the_right_credentials_let_us_in_and_a_failure_behind_them_is_not_theirs(stub, monkeypatch):
    stub.RequestHandlerClass = Guarded
    for name in CREDENTIALS:
        monkeypatch.setenv(name, "user:right")
    for variable, body in EMPTY.items():
        stub.body = body
        check_reachable(variable, stub.address)
    stub.RequestHandlerClass = type("Broken", (Guarded,), {"send_response": _broken_behind_the_gate})
    for variable in VARIABLES:
        with pytest.raises(Unavailable, match=rf"{variable}: what answers at .* at work \(HTTP 500\)"):
            check_reachable(variable, stub.address)


def _broken_behind_the_gate(handler, status, *more):
    Answer.send_response(handler, 500 if status == 200 else status, *more)


@pytest.fixture
def certificate(tmp_path):
    """A certificate of 127.0.0.1 that no authority has signed, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stub")]), datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "stub.pem").write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "stub.pem"


def test_a_certificate_that_is_not_trusted_is_named_until_its_authority_is(stub, certificate, monkeypatch, caplog):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stub.socket = context.wrap_socket(stub.socket, server_side=True)
    address = stub.address.replace("http://", "https://")
    for (variable, stub.body), name in zip(EMPTY.items(), CERTIFICATES, strict=True):
        with pytest.raises(Unavailable, match=rf"{variable}: the certificate of .* \(.*self.signed.*\); .* {name}\."):
            check_reachable(variable, address)
        monkeypatch.setenv(name, str(certificate))
        check_reachable(variable, address)
    assert caplog.text == ""  # of the libraries' own complaints


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_server_in_maintenance_is_told_of_at_once(stub, variable):
    stub.status, stub.headers = 503, {"Retry-After": "3600"}
    began = time.monotonic()
    with pytest.raises(Unavailable, match=rf"{variable}: .* at work \(HTTP 503\)"):
        check_reachable(variable, stub.address)
    assert time.monotonic() - began < 60  # the libraries' clients would wait for an hour


def test_what_does_not_speak_http_does_not_answer(stub):
    stub.RequestHandlerClass = type("Silent", (Answer,), {"do_GET": lambda self: self.wfile.write(b"SSH-2.0-x\r\n")})
    assert not answers(stub.address, 5.0)
    with pytest.raises(Unavailable, match="MLFLOW_TRACKING_URI: no server answers"):
        check_reachable("MLFLOW_TRACKING_URI", stub.address)


def test_a_database_passes_and_what_is_no_address_does_not():
    check_reachable("MLFLOW_TRACKING_URI", "sqlite:////home/me/mlflow.db")
    for wrong in ("prefect.example:4200/api", "http://["):
        with pytest.raises(InvalidInput, match="PREFECT_API_URL: "):
            check_reachable("PREFECT_API_URL", wrong)
