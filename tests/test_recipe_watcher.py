"""Files of recipes that change while the deployments are served."""

import sys

import pytest

from mnist_models import recipes
from tasks.operations.recipe_watcher import watch_recipes


class Script:
    """In place of the event that ends the watching: between two looks it does the next thing, and at last ends it."""

    def __init__(self, *steps):
        self._steps = [*steps]

    def wait(self, _seconds):
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "__path__", [str(tmp_path)])
    (tmp_path / "one.py").write_text("RECIPES = ()\n")
    return tmp_path


def publishing(folder, status=0, words=""):
    code = f"import sys; print('x', file=open({str(folder / 'log')!r}, 'a')); print({words!r}, file=sys.stderr)"
    return [sys.executable, "-c", f"{code}; sys.exit({status})"]


def published(folder):
    log = folder / "log"
    return len(log.read_text().split()) if log.exists() else 0


def test_each_change_is_published_once_and_not_before_it_rests(folder, capsys):
    def nothing():
        pass

    def add():
        (folder / "two.py").write_text("RECIPES = ()\n")

    def change():
        assert published(folder) == 0
        (folder / "two.py").write_text("RECIPES = (1,)\n")

    def remove():
        assert published(folder) == 1
        (folder / "one.py").unlink()

    watch_recipes(publishing(folder), Script(nothing, add, change, nothing, nothing, remove, nothing, nothing))
    assert published(folder) == 2
    assert capsys.readouterr().out.count("the forms in Prefect offer them as they are now") == 2


def test_a_file_that_cannot_be_used_is_told_of_and_the_forms_stay(folder, caplog):
    def change():
        (folder / "two.py").write_text("RECIPES = (\n")

    watch = Script(change, lambda: None, lambda: None)
    watch_recipes(publishing(folder, 1, "recipes: two.py cannot be loaded."), watch)
    assert published(folder) == 1
    assert "offer the recipes as they were: recipes: two.py cannot be loaded." in caplog.text
