"""Metric names stand in one file: elsewhere a typing error would make a metric that nobody finds."""

import ast
import re
from pathlib import Path

import pytest

from mnist_models import metric_names

ROOT = Path(__file__).parent.parent
NAMES = {key: value for key, value in vars(metric_names).items() if key.isupper()}
FILES = [file for package in ("flows", "tasks", "mnist_models") for file in sorted((ROOT / package).rglob("*.py"))]


def literals(tree: ast.AST) -> list[str]:
    """All strings in the code, parts of f-strings too, without docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def metric_literals(source: str) -> list[str]:
    # Names without a slash are also the names of a status and of a field.
    names = [name for name in NAMES.values() if "/" in name]
    return [literal for literal in literals(ast.parse(source)) if any(name in literal for name in names)]


def test_no_other_file_holds_a_metric_name():
    others = [file for file in FILES if file != Path(metric_names.__file__)]
    assert len(others) > 50
    found = {str(file.relative_to(ROOT)): metric_literals(file.read_text()) for file in others}
    assert {file: literals for file, literals in found.items() if literals} == {}


@pytest.mark.parametrize("code", ['x = "test/accuracy"', 'f"test_accuracy/{x}"', 'x["metrics.`test/loss`"]'])
def test_a_metric_name_in_code_is_found(code):
    assert len(metric_literals(f'def function():\n    """Log test/accuracy."""\n    {code}')) == 1


def test_names_are_unique_and_explained():
    assert len(set(NAMES.values())) == len(NAMES) > 20
    lines = Path(metric_names.__file__).read_text().splitlines()
    for name in NAMES:
        assert any(re.match(rf"{name} = .+  # .+", line) for line in lines), name
