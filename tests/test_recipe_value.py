"""A recipe is a value: it travels without a file of its own, and a run directory alone builds its network again."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from flows.cli.sync import recipes_without_file
from mnist_models.errors import InvalidInput
from mnist_models.recipe import Recipe
from mnist_models.recipe_catalog import all_recipes, all_suites, choose_recipes, find_recipe, more_recipes
from mnist_models.recipe_reference import own_files, reference, source_files
from mnist_models.training_run.run_directory import RunDirectory
from tasks.config.settings import Settings


@pytest.mark.parametrize("recipe", all_recipes().values(), ids=lambda recipe: recipe.name)
def test_every_recipe_survives_its_json(recipe):
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_our_own_networks_need_no_copies():
    for recipe in all_recipes().values():
        assert own_files(recipe.network) == {}


def test_a_changed_recipe_is_listed_and_chosen_without_a_file():
    made = replace(find_recipe("conv_net"), name="conv_net_slow", suites=("mine",), notebook_row=None)
    with more_recipes(made):
        assert find_recipe("conv_net_slow") is made
        assert choose_recipes("mine", []) == [made]
        assert "conv_net_slow" in all_suites()["all"]
    assert "conv_net_slow" not in all_recipes()


def test_what_only_a_program_knew_is_found_again_in_its_run_directory(tmp_path):
    made = replace(find_recipe("conv_net"), name="conv_net_slow", suites=(), notebook_row=None)
    settings = Settings.at(tmp_path)
    RunDirectory(settings.runs / "conv_net_slow-seed-0-0123456789ab").write_recipe(made)
    assert recipes_without_file(settings, ["conv_net", "conv_net_slow"]) == [made]


def test_two_of_a_name_are_refused_also_without_a_file():
    with more_recipes(find_recipe("conv_net")), pytest.raises(InvalidInput, match="the program and in conv_net"):
        all_recipes()


NET = """
import own_depth


def network(shape, classes):
    from own_width import WIDTH

    return ("built", shape, classes, WIDTH, own_depth.DEPTH)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A recipe whose network is in modules of the user's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own_net.py").write_text(NET)
    (folder / "own_width.py").write_text("WIDTH = 7\n")
    (folder / "own_depth.py").write_text("DEPTH = 3\n")
    monkeypatch.syspath_prepend(folder)
    import own_net

    yield replace(find_recipe("softmax_regression"), name="own", network=own_net.network)
    for name in ("own_net", "own_width", "own_depth"):
        sys.modules.pop(name, None)


READ = """
import sys
from pathlib import Path
from mnist_models.training_run.run_directory import RunDirectory
from tasks.config.settings import Settings
print(RunDirectory(Path(sys.argv[1])).recipe().network((2, 3, 1), 4))
"""


def test_a_run_directory_alone_builds_the_network_of_the_users_own_module(own, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.write_recipe(own, seed=3)
    assert sorted(file.name for file in directory.source_folder.iterdir()) == [
        "own_depth.py", "own_net.py", "own_width.py",
    ]  # fmt: skip
    for file in (tmp_path / "own").glob("*.py"):
        file.unlink()
    command = [sys.executable, "-c", READ, str(directory.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "('built', (2, 3, 1), 4, 7, 3)\n"
    assert json.loads(directory.recipe_file.read_text())["seed"] == 3
    assert reference(own.network) == "own_net:network"


def test_the_copies_count_even_where_the_users_files_have_changed_since(own, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.write_recipe(own)
    (tmp_path / "own" / "own_depth.py").write_text("DEPTH = 99\n")
    assert directory.recipe().network((2, 3, 1), 4)[-1] == 3


def test_a_network_that_cannot_be_named_is_refused_when_the_recipe_is_written():
    with pytest.raises(ValueError, match="recipe conv_net: network must be a plain function"):
        replace(find_recipe("conv_net"), network=lambda _shape, _classes: None)


def test_a_network_without_a_file_is_refused(monkeypatch):
    recipe = find_recipe("conv_net")
    monkeypatch.delattr(sys.modules[recipe.network.__module__], "__file__")
    with pytest.raises(InvalidInput, match="has no source file"):
        source_files.__wrapped__(recipe.network)


def test_what_is_trained_is_what_the_identity_has_named_even_if_the_file_changes_in_between(own, tmp_path):
    digest = own.network_digest
    (tmp_path / "own" / "own_depth.py").write_text("DEPTH = 99\n")
    directory = RunDirectory(tmp_path / "run")
    directory.write_recipe(own)
    assert (directory.source_folder / "own_depth.py").read_text() == "DEPTH = 3\n"
    assert own.network_digest == digest


def test_a_network_of_the_program_itself_is_refused_for_a_trainer_would_run_the_program(monkeypatch):
    network = find_recipe("conv_net").network
    monkeypatch.setattr(network, "__module__", "__main__")
    with pytest.raises(InvalidInput, match="has no source file of its own; write it into a module"):
        source_files.__wrapped__(network)


def test_one_run_directory_after_another_gives_each_its_own_network(own, tmp_path):
    first, second = RunDirectory(tmp_path / "first"), RunDirectory(tmp_path / "second")
    for directory in (first, second):
        directory.write_recipe(own)
    (second.source_folder / "own_depth.py").write_text("DEPTH = 5\n")
    depths = [directory.recipe().network((2, 3, 1), 4)[-1] for directory in (first, second, first)]
    assert depths == [3, 5, 3]
