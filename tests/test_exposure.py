"""Servers are opened to others only if both ask for a password."""

import pytest

from mnist_models.errors import InvalidInput
from tasks.servers.exposure import MLFLOW_PASSWORDS, PREFECT_PASSWORD, check_exposure


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8"])
def test_this_machine_alone_needs_no_password(host):
    check_exposure(host)


@pytest.mark.fault(20)
@pytest.mark.parametrize("missing", [PREFECT_PASSWORD, *MLFLOW_PASSWORDS])
def test_others_are_let_in_only_with_both_passwords(monkeypatch, missing):
    for name in (PREFECT_PASSWORD, *MLFLOW_PASSWORDS):
        monkeypatch.setenv(name, "set")
    check_exposure("0.0.0.0")
    monkeypatch.delenv(missing)
    with pytest.raises(InvalidInput, match=missing):
        check_exposure("0.0.0.0")


def test_what_is_no_address_is_refused():
    with pytest.raises(InvalidInput, match="host: 'no such host' is not an address"):
        check_exposure("no such host")
