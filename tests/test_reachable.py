"""What is said about servers that answer, but not as they should."""

import re
from http.server import ThreadingHTTPServer

import pytest
from loopback import Handler, serving

from mnist_models.errors import InvalidInput, Unavailable
from tasks.servers.health_check import answers, check_reachable


class Stub(ThreadingHTTPServer):
    """Answers everything in the same way."""

    status, body = 200, b""

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/api"


class Answer(Handler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def do_POST(self):
        self.do_GET()


@pytest.fixture
def stub():
    with serving(Answer, Stub) as server:
        yield server


VARIABLES = ("MLFLOW_TRACKING_URI", "PREFECT_API_URL")


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
    for variable, body in zip(VARIABLES, (b"{}", b"[]"), strict=True):
        stub.body = body
        check_reachable(variable, stub.address)


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
