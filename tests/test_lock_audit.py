"""No locked package has a known vulnerability, as far as a database of them can be reached from here."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import Handler, serving

LOCK = Path(__file__).parent.parent / "requirements.lock"
FIRST = re.match(r"(?:.*\n)*?(\S+==(?:.*\\\n)+.*\n)", LOCK.read_text()).group(1)
"""The first package with its hashes: enough to see whether a database answers."""

SERVICES = (["--vulnerability-service", "osv"], ["--vulnerability-service", "pypi"])
ACCEPTED: dict[str, str] = {}
"""Identifiers of vulnerabilities that do not concern us, each with the reason."""


class OutOfReach(Exception):
    """The database does not answer; the message says how that showed."""


def audit(requirements, service):
    """Package → identifiers of its vulnerabilities, for all packages that are installed on this platform."""
    command = [Path(sys.executable).with_name("pip-audit"), "--requirement", requirements, "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10", *service]
    result = subprocess.run(command, capture_output=True, text=True, timeout=250)
    try:
        packages = json.loads(result.stdout)["dependencies"]
    except ValueError:
        raise OutOfReach((result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]) from None
    # It ends well, too, when it has found nothing out about any of them.
    unknown = [package["skip_reason"] for package in packages if "skip_reason" in package]
    if unknown:
        raise OutOfReach(f"{unknown[0]} (and {len(unknown) - 1} more)")
    return {package["name"]: [found["id"] for found in package["vulns"]] for package in packages}


@pytest.mark.slow
@pytest.mark.long  # what others have published since decides its outcome
def test_no_locked_package_has_a_known_vulnerability(tmp_path):
    (tmp_path / "one.txt").write_text(FIRST)
    reasons = []
    for service in SERVICES:
        try:
            audit(tmp_path / "one.txt", service)
        except OutOfReach as error:
            reasons.append(f"{service[1]}: {error}")
            continue
        audited = audit(LOCK, service)
        assert len(audited) > 100
        found = {name: set(ids) - ACCEPTED.keys() for name, ids in audited.items()}
        assert {name: ids for name, ids in found.items() if ids} == {}
        return
    pytest.skip(f"NOT AUDITED, no database of vulnerabilities can be reached: {'; '.join(reasons)[:600]}")


@pytest.fixture
def database():
    """One that knows a vulnerability of a single package."""
    asked = []

    class Answer(Handler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"])
            events = [{"introduced": "0"}, {"fixed": "99999"}]
            affected = {"package": {"name": "pillow", "ecosystem": "PyPI"}, "ranges": [{"type": "X", "events": events}]}
            known = {"id": "MADE-2026-1", "details": "made", "summary": "made", "affected": [affected]}
            body = json.dumps({"vulns": [known]} if asked[-1] == "pillow" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Answer) as server:
        yield ["--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/"], asked


@pytest.mark.slow
def test_a_vulnerability_of_any_locked_package_is_found(database, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    service, asked = database
    audited = audit(LOCK, service)
    assert {name: ids for name, ids in audited.items() if ids} == {"pillow": ["MADE-2026-1"]}
    assert {"tensorflow", "keras", "prefect", "mlflow", "numpy", "pip-audit"} <= set(asked)


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_not_taken_for_a_good_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "one.txt").write_text(FIRST)
    with pytest.raises(OutOfReach, match="refused"):
        audit(tmp_path / "one.txt", ["--vulnerability-service", "osv", "--osv-url", "http://127.0.0.1:1/"])
