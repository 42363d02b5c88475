"""The house: import-linter sees every folder, and none is crowded."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_MODULES = 15
FOLDERS = sorted(
    {file.parent for package in ("flows", "tasks", "mnist_models") for file in (ROOT / package).rglob("*.py")}
)


def test_every_folder_of_modules_is_a_package():
    # import-linter does not look into a folder without this file.
    assert [str(folder) for folder in FOLDERS if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_no_folder_is_crowded(folder):
    modules = [file for file in folder.glob("*.py") if not file.name.startswith("__")]
    assert len(modules) <= MOST_MODULES
