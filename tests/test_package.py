"""What holds for the project as a whole."""

import ast
import pkgutil
import re
from pathlib import Path

from fast_run import WITH_TENSORFLOW

import flows
import mnist_models
import tasks

ROOT = Path(__file__).parent.parent


def test_the_packages_are_ours():
    for package in (flows, tasks, mnist_models):
        assert Path(package.__file__).parent.parent == ROOT


def test_the_lock_file_pins_hashes_and_names_no_index():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^--?(index|extra|find|trusted)", text, re.MULTILINE)
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    pinned = [entry for entry in entries if re.match(r"[\w.\[\]-]+==", entry)]
    assert len(pinned) > 100
    assert all("--hash=sha256:" in entry for entry in pinned)


def test_every_dependency_is_locked():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    locked = set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for requirement in wanted:
        assert re.match(r"[\w.-]+", requirement).group() in locked, requirement


def test_the_fast_tests_know_every_module_that_needs_no_tensorflow():
    """A fast test imports it, or imports a module of the same package that does: a front is tested with its inside."""
    covered = set()
    for file in Path(__file__).parent.glob("*.py"):
        text = file.read_text()
        if file.name not in WITH_TENSORFLOW and not re.search("^pytestmark = .*slow", text, re.MULTILINE):
            covered |= _imported(text)
    sources = {
        module.name: Path(module.module_finder.path, f"{module.name.rpartition('.')[2]}.py")
        for module in pkgutil.walk_packages(mnist_models.__path__, "mnist_models.")
        if not module.ispkg and not module.name.endswith("__main__")
    }
    fronts = {f"{name.rpartition('.')[0]}": source.with_name("__init__.py") for name, source in sources.items()}
    known = set()
    while found := {name for name in (sources | fronts).keys() & covered if name not in known}:
        known |= found
        for name in found:
            package = name if name in fronts else name.rpartition(".")[0]
            inside = _imported((sources | fronts)[name].read_text())
            covered |= {other for other in inside if other.rpartition(".")[0] == package}
    slow = ("mnist_models.trainer.", "mnist_models.recipes.")
    found_by_being_there = ("mnist_models.data.formats.",)  # by mnist_models.data.read
    unknown = (name for name in sources.keys() - known if not name.startswith(slow + found_by_being_there))
    assert sorted(unknown) == []


def _imported(text):
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names
