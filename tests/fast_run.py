"""`make test-fast`: what it leaves out. It cannot import TensorFlow, which alone takes ten seconds."""

import sys

import pytest

FAST = "not slow"  # the expression of `make test-fast`
# These import TensorFlow as they are collected.
WITH_TENSORFLOW = (
    "test_checkpoint.py",
    "test_model_file.py",
    "test_networks.py",
    "test_trainer_kernels.py",
    "test_training.py",
)
SERVERS = {"prefect_server", "stack", "trained"}  # fixtures; whatever uses one of them is slow


def pytest_configure(config):
    if config.getoption("markexpr") == FAST:
        for name in ("tensorflow", "keras"):
            sys.modules[name] = None  # an import fails where it stands


def pytest_ignore_collect(collection_path, config):
    return True if config.getoption("markexpr") == FAST and collection_path.name in WITH_TENSORFLOW else None


@pytest.hookimpl(tryfirst=True)  # before those are left out that `-m` does not choose
def pytest_collection_modifyitems(items):
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
