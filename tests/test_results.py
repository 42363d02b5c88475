"""Results of tasks and flows never reach a disk as pickle, which is code to whoever reads it."""

import importlib
import pkgutil
import subprocess
import sys

import pytest
from prefect import Flow, Task

import flows
import tasks

MODULES = [
    importlib.import_module(module.name)
    for package in (flows, tasks)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
]


def found(kind):
    """All tasks or flows by name."""
    return {each.name: each for module in MODULES for each in vars(module).values() if isinstance(each, kind)}


def test_no_task_persists_its_result():
    # They return Python objects, which nothing but pickle could write.
    assert {"train", "evaluate", "promote"} <= found(Task).keys()
    assert {name: task.persist_result for name, task in found(Task).items() if task.persist_result is not False} == {}


def test_no_flow_persists_its_result_but_as_json():
    assert {"train", "predict"} <= found(Flow).keys()
    for flow in found(Flow).values():
        assert (flow.persist_result, flow.result_serializer) == (False, "json"), flow.name


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [None, "compressed/json"])
def test_whatever_else_prefect_persists_is_json_unless_the_user_wants_it_otherwise(monkeypatch, chosen):
    if chosen:
        monkeypatch.setenv("PREFECT_RESULTS_DEFAULT_SERIALIZER", chosen)
    else:
        monkeypatch.delenv("PREFECT_RESULTS_DEFAULT_SERIALIZER", raising=False)
    code = "from tasks.config.library_defaults import set_defaults; set_defaults()\n"
    code += "from prefect.settings import get_current_settings\n"
    code += "print(get_current_settings().results.default_serializer)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == (chosen or "json")
