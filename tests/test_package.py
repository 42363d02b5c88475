"""What holds for the project as a whole."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    locked = set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for requirement in wanted:
        assert re.match(r"[\w.-]+", requirement).group() in locked, requirement


def test_there_is_one_version(monkeypatch, capsys):
    from flows.cli.app import main

    version = mnist_models.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "mnist_models.__version__"}
    assert re.search("^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group(1) == version
    monkeypatch.setattr(sys, "argv", ["mnist", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().out) == (0, f"mnist {version}\n")


def test_the_version_is_told_without_heavy_imports():
    code = "import sys; sys.argv = ['mnist', '--version']\nfrom flows.cli.app import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('prefect', 'mlflow', 'tensorflow', 'numpy', 'pydantic') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == f"mnist {mnist_models.__version__}\n[]\n"
