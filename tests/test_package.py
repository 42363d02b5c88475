"""What holds for the project as a whole."""

import re
from pathlib import Path

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
