"""`make test-fast`: what it leaves out. It cannot import TensorFlow, which alone takes ten seconds."""

import sys

FAST = "not slow"  # the expression of `make test-fast`
# These import TensorFlow as they are collected.
WITH_TENSORFLOW = (
    "test_checkpoint.py",
    "test_model_file.py",
    "test_networks.py",
    "test_trainer_kernels.py",
    "test_training.py",
)


def pytest_configure(config):
    if config.getoption("markexpr") == FAST:
        for name in ("tensorflow", "keras"):
            sys.modules[name] = None  # an import fails where it stands


def pytest_ignore_collect(collection_path, config):
    return True if config.getoption("markexpr") == FAST and collection_path.name in WITH_TENSORFLOW else None
