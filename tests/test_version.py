"""The package, the command and the changelog agree on one version."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from flows.cli.app import main
from mnist_models import __version__

ROOT = Path(__file__).parent.parent


def test_there_is_one_version(monkeypatch, capsys):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "mnist_models.__version__"}
    assert re.search("^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group(1) == __version__
    monkeypatch.setattr(sys, "argv", ["mnist", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().out) == (0, f"mnist {__version__}\n")


def test_the_version_is_told_without_heavy_imports():
    code = "import sys; sys.argv = ['mnist', '--version']\nfrom flows.cli.app import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('prefect', 'mlflow', 'tensorflow', 'numpy', 'pydantic') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == f"mnist {__version__}\n[]\n"
