"""What documents say exists: files, links, commands, the example of a recipe, the tables that programs write."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").glob("*.md"))
PACKAGES = ("flows", "tasks", "mnist_models")

# The files and commands that the rebuilding has still to create. EMPTY THIS LIST when it is done, then remove it.
NOT_YET: set[str] = set()

CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FOLDERS = "|".join((*PACKAGES, "tests", "benchmarks", "docs"))
NAMED = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*|[\w.-]+\.(?:md|yml|yaml|toml|lock))(?!\w)")


def code_of(document):
    """Everything between backticks."""
    return "\n".join(CODE.findall(document.read_text()))


def headings(document):
    """The anchors that a Markdown page has, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def missing_files(document):
    """The files and folders that a document names between backticks, and that are not there."""
    named = {name.rstrip(".") for name in NAMED.findall(code_of(document))}
    return {name for name in named if not (ROOT / name).exists() and not (document.parent / name).exists()}


def broken_links(document):
    """The links to files and headings of this project that lead nowhere."""
    broken = []
    for link in LINK.findall(document.read_text()):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            if not target.exists() or (anchor and anchor not in headings(target)):
                broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_file_that_a_document_names_exists(document):
    assert missing_files(document) - NOT_YET == set()


def test_the_list_of_missing_files_holds_only_missing_files():
    assert {name for name in NOT_YET if (ROOT / name).exists()} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_within_the_project_leads_somewhere(document):
    assert broken_links(document) == []


def test_a_document_that_names_what_is_not_there_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n\n`tasks/train.py`, `tasks/nowhere.py`, `mlflow.yml`, `other.yml`, `state/runs`, `x.npz`\n")
    assert missing_files(page) == {"tasks/nowhere.py", "other.yml"}
    page.write_text(
        "# One two\n\n[a](#one-two) [b](#three) [c](page.md#one-two) [d](other.md) [e](https://x.example)\n"
    )
    assert broken_links(page) == ["#three", "other.md"]


def test_the_architecture_has_every_folder():
    listed = set(re.findall(r"^\| `([\w/]+)/` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    folders = {
        str(file.parent.relative_to(ROOT)) for package in PACKAGES for file in (ROOT / package).rglob("__init__.py")
    }
    assert listed >= folders


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_command_that_a_document_gives_exists(document):
    from flows.cli.app import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = code_of(document)
    existing = {f"mnist {name}" for name in commands} | {f"make {name}" for name in targets}
    assert set(re.findall(r"(?<![\w-])(?:mnist|make) [a-z][a-z-]*", code)) - NOT_YET <= existing


def test_a_value_of_pytests_options_is_not_taken_for_a_path():
    """With a path, pytest no longer looks in tests/ for the options that are defined there."""
    calls = re.findall(r"-m pytest (?:.*\\\n)*.*", (ROOT / "Makefile").read_text())
    assert len(calls) >= 4
    for call in calls:
        assert not re.findall(r"--(?:fault|reliability|hypothesis)[a-z-]* \S*", call), call


def example():
    """The recipe that the README shows."""
    (code,) = re.findall(r"^```python\n(.+?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return code


@pytest.fixture
def recipe_folder(tmp_path):
    """A folder of the user's own with the README's recipe in it."""
    (tmp_path / "wide.py").write_text(example())
    return tmp_path


def test_the_example_of_a_recipe_is_found_in_a_folder(recipe_folder):
    code = "from mnist_models.recipe_catalog import all_recipes; print(all_recipes()['wide'].summary)"
    environment = os.environ | {"MNIST_RECIPES": str(recipe_folder)}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.stdout == "One wide ReLU layer\n", result.stderr


def test_the_example_of_a_recipe_passes_the_checks():
    ruff, name = Path(sys.executable).with_name("ruff"), "mnist_models/recipes/wide.py"
    for arguments in (["check"], ["format", "--check"]):
        command = [ruff, *arguments, "--quiet", "--stdin-filename", name, "-"]
        result = subprocess.run(command, input=example(), capture_output=True, text=True, cwd=ROOT, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_example_of_a_recipe_passes_the_check_of_types(recipe_folder, tmp_path):
    """In the place of a file in mnist_models/recipes, which it would otherwise have to be for the moment."""
    file = "mnist_models/recipes/softmax_regression.py"
    mypy = [Path(sys.executable).with_name("mypy"), "--cache-dir", tmp_path / "cache"]
    command = [*mypy, "--shadow-file", file, recipe_folder / "wide.py", file]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_example_of_a_recipe_takes_images_with_a_channel(recipe_folder, monkeypatch):
    import numpy as np

    monkeypatch.syspath_prepend(recipe_folder)
    wide = importlib.import_module("wide")
    sys.modules.pop("wide")
    model = wide.network((16, 20, 1), 3)
    assert model(np.zeros((2, 16, 20, 1), np.float32)).shape == (2, 3)


@pytest.fixture
def report(monkeypatch):
    """The program that writes the tables of measurements, as a module."""
    names = ("documents", "measurements", "report")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    yield importlib.import_module("report")
    for name in names:
        sys.modules.pop(name, None)


def test_the_tables_of_measurements_are_what_their_program_writes(report, tmp_path, monkeypatch):
    written = (ROOT / "docs" / "speed.md").read_text()
    page = tmp_path / "speed.md"
    page.write_text(re.sub(r"(<!-- benchmarks -->\n).*(<!-- /benchmarks -->)", r"\1\2", written, flags=re.DOTALL))
    assert page.read_text() != written
    monkeypatch.setattr(report, "SPEED", page)
    report.write_table()
    assert page.read_text() == written


def test_a_page_without_its_marks_is_refused_and_kept(report, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    with pytest.raises(ValueError, match="must hold the marks <!-- results --> and <!-- /results --> once each"):
        report.replace_block(page, "results", "a table\n")
    assert page.read_text() == "no marks\n"


def test_the_readme_has_one_place_for_the_results():
    text = (ROOT / "README.md").read_text()
    assert text.count("<!-- results -->\n") == text.count("<!-- /results -->") == 1


def test_the_hooks_run_what_make_lint_runs():
    import yaml

    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = [hook["entry"] for hook in repository["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint.splitlines()]
    assert [command.removesuffix(" .") for command in commands] == hooks
    locked = (ROOT / "requirements.lock").read_text()
    development = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    for tool in ("ruff", "mypy", "import-linter"):
        assert f"\n{tool}==" in locked
        assert any(entry.startswith(tool) for entry in development)
