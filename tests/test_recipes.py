"""What a recipe may say, and how recipes are found: no network is built here."""

import sys
from dataclasses import replace
from functools import partial

import pytest

from mnist_models.errors import InvalidInput
from mnist_models.recipe import Augmentation, Optimizer, Recipe
from mnist_models.recipe_catalog import all_recipes, all_suites, broken_files, choose_recipes, find_recipe

RECIPES = list(all_recipes().values())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_says_what_it_is_in_one_line(recipe):
    assert recipe.summary
    assert "\n" not in recipe.summary
    assert len(recipe.summary) <= 55  # a line of `mnist recipes` in 80 columns
    assert recipe.name == recipe.name.lower()
    assert recipe.network.__doc__


def vars_of(recipe: Recipe) -> dict:
    return {name: getattr(recipe, name) for name in Recipe.__dataclass_fields__}


@pytest.mark.parametrize(
    "change",
    [
        {"steps": None},
        {"steps": 10, "epochs": 1},
        {"steps": 0},
        {"batch_size": 0},
        {"validations": 0},
        {"validation_fraction": 0.7},
        {"optimizer": Optimizer("sgd", float("nan"))},
        {"optimizer": Optimizer("sgd", 0.1, warm_up=0.0)},
        {"name": "softmax_regression/new"},
        {"network": partial(RECIPES[0].network)},
    ],
)
def test_refuses_a_recipe_that_cannot_be_trained(change):
    whole = vars_of(find_recipe("softmax_regression"))
    with pytest.raises(ValueError, match="softmax_regression"):
        Recipe(**(whole | change))


def test_a_file_is_enough_to_add_a_recipe(tmp_path, monkeypatch):
    (tmp_path / "my_net.py").write_text(
        "from dataclasses import replace\n"
        "from mnist_models.recipes.softmax_regression import RECIPES as FOUND\n"
        "RECIPES = (replace(FOUND[0], name='mine', summary='Mine', suites=('own',), notebook_row=None),)\n"
    )
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path))
    monkeypatch.setattr("mnist_models.recipes.__path__", list(__import__("mnist_models.recipes").recipes.__path__))
    all_recipes.cache_clear()
    try:
        assert find_recipe("mine").summary == "Mine"
        assert all_suites()["own"] == ["mine"]
        assert "mine" in all_suites()["all"]
    finally:
        all_recipes.cache_clear()


HELP = "from dataclasses import replace\nfrom mnist_models.recipes.conv_net import KERAS\n"
FINE = HELP + "RECIPES = (replace(KERAS, name='fine', summary='Fine', suites=('mine',), notebook_row=None),)\n"


@pytest.fixture
def write_file(tmp_path, monkeypatch):
    """Write a file of recipes into the user's own folder."""
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path))
    monkeypatch.setattr("mnist_models.recipes.__path__", list(__import__("mnist_models.recipes").recipes.__path__))
    before = set(sys.modules)

    def write(content, name="mine"):
        (tmp_path / f"{name}.py").write_text(content)
        all_recipes.cache_clear()

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]
    all_recipes.cache_clear()


BROKEN = [
    ("\nraise OSError('no')", "line 2: OSError: no"),
    ("import sys\nsys.exit('bye')", "line 2: SystemExit: bye"),
    ("RECIPES = (\n1 2)", "line 2: SyntaxError: invalid syntax. Perhaps you forgot a comma?"),
    ("import numpyy", "line 1: ModuleNotFoundError: No module named 'numpyy'"),
    ("x = 1", "a file must hold a tuple RECIPES of recipes, such as RECIPES = (Recipe(…),), but has none"),
    (
        HELP + "RECIPES = KERAS",
        "a file must hold a tuple RECIPES of recipes, such as RECIPES = (Recipe(…),), but it is",
    ),
    ("RECIPES = ('mine',)", "a file must hold a tuple RECIPES of recipes"),
    ("from mnist_models.recipes.conv_net import RECIPES", "conv_net is also in conv_net.py"),
    (HELP + "RECIPES = (replace(KERAS, name='mine'),) * 2", "mine is twice in it"),
    (
        HELP + "RECIPES = (replace(KERAS, name='mine', continues='nothing'),)",
        "mine continues nothing, which does not exist",
    ),
    (
        HELP + "RECIPES = (replace(KERAS,\n  name='mine', loss='cross_entropi'),)",
        "line 3: recipe mine: loss 'cross_entropi' does not exist: did you mean",
    ),
    (
        HELP + "\ndef f():\n    return replace(KERAS.optimizer, name='adm')\nRECIPES = (f(),)",
        "line 5: optimizer: name 'adm' does not exist: did you mean adam or adamw",
    ),
    (
        HELP + "RECIPES = (replace(KERAS, name='mine', batch_size='64'),)",
        "line 3: recipe mine: batch_size must be a whole number, not '64'",
    ),
    (HELP + "RECIPES = (replace(KERAS, lose='x'),)", "line 3: TypeError: "),
]


@pytest.mark.fault(6)
@pytest.mark.parametrize(("content", "reason"), BROKEN, ids=[reason[:40] for _, reason in BROKEN])
def test_a_file_that_cannot_be_loaded_costs_its_own_recipes_only(write_file, tmp_path, content, reason):
    write_file(content)
    write_file(FINE, "other")
    assert find_recipe("fine").summary == "Fine"
    assert {recipe.name for recipe in RECIPES} | {"fine"} == set(all_recipes())
    (broken,) = broken_files()
    assert broken.file == tmp_path / "mine.py"
    assert broken.sentence.startswith(f"mine.py cannot be loaded: {reason}")


def test_a_name_that_may_be_in_a_broken_file_is_refused_with_its_reason(write_file):
    write_file("RECIPES = (Recipe(name='deep', suites=('own',)),)")
    reason = "mine.py cannot be loaded: line 1: NameError: name 'Recipe' is not defined."
    for suite, names, words in (
        ("quick", ["deep"], "recipe 'deep' cannot be used: "),
        ("own", [], "suite 'own' cannot be used: "),
        ("quick", ["dep"], "recipe 'dep' does not exist: .*"),
    ):
        with pytest.raises(InvalidInput, match=f"{words}{reason}"):
            choose_recipes(suite, names)
    assert [recipe.name for recipe in choose_recipes("all", [])] == [recipe.name for recipe in RECIPES]


def test_what_continues_a_lost_recipe_is_lost_as_well(write_file):
    more = "replace(KERAS, name='{}', continues='{}', notebook_row=None)"
    write_file(HELP + f"RECIPES = ({more.format('one', 'none')}, {more.format('two', 'one')})")
    assert {"one", "two"}.isdisjoint(all_recipes())
    assert [each.reason for each in broken_files()] == [
        "one continues none, which does not exist",
        "two continues one, which does not exist",
    ]


def test_a_file_with_the_name_of_one_of_ours_is_not_passed_over(write_file):
    write_file(FINE, "conv_net")
    (broken,) = broken_files()
    assert broken.sentence.startswith("conv_net.py cannot be loaded: a recipe file of this project has the same name")


def test_what_a_file_prints_stays_out_of_the_answer_of_a_command(write_file, capsys):
    write_file("print('hello')\n" + FINE)
    all_recipes()
    assert capsys.readouterr() == ("", "hello\n")


def test_files_of_recipes_can_share_a_neighbour(write_file):
    write_file("NAME = 'fine'\n", "_names_of_mine")
    write_file("from mnist_models.recipes._names_of_mine import NAME\n" + FINE.replace("'fine'", "NAME"))
    assert find_recipe("fine").summary == "Fine"
    write_file("1 / 0\n", "_names_of_mine")
    sys.modules.pop("mnist_models.recipes._names_of_mine")
    sys.modules.pop("mnist_models.recipes.mine")
    (broken,) = broken_files()
    assert broken.sentence == "mine.py cannot be loaded: _names_of_mine.py, line 1: ZeroDivisionError: division by zero"


def test_a_list_of_suites_is_as_good_as_a_tuple(write_file):
    write_file(FINE.replace("suites=('mine',)", "suites=['mine']"))
    assert find_recipe("fine").suites == ("mine",)
    assert all_suites()["mine"] == ["fine"]


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Optimizer("adamm", 0.1), "optimizer: name 'adamm' does not exist: did you mean adam or adamw"),
        (lambda: Optimizer("sgd", "0.1"), "optimizer: learning_rate must be a number, not '0.1'"),
        (
            lambda: Optimizer("sgd", 0.1, schedule="one-cycle"),
            "schedule 'one-cycle' does not exist: did you mean one_cycle",
        ),
        (lambda: Optimizer(None, 0.1), "optimizer: name must be one of sgd, adam, adamw, not None"),
        (lambda: Augmentation(shift=True), "augmentation: shift must be a number, not True"),
        (lambda: changed(keep="bset"), "recipe softmax_regression: keep 'bset' does not exist: did you mean best"),
        (lambda: changed(loss=["cross_entropy"]), r"loss must be one of .*, not \['cross_entropy'\]"),
        (lambda: changed(batch_size=64.0), "batch_size must be a whole number, not 64.0"),
        (lambda: changed(steps=True), "steps must be a whole number or None, not True"),
        (lambda: changed(optimizer="adam"), "optimizer must be of the type Optimizer, not 'adam'"),
        (lambda: changed(augmentation={"shift": 1}), "augmentation must be of the type Augmentation or None"),
        (lambda: changed(suites="quick"), "suites must be a tuple, each of it a text, not 'quick'"),
        (lambda: changed(suites=("quick", 1)), "suites must be a tuple, each of it a text"),
        (lambda: changed(diverges="no"), "diverges must be True or False, not 'no'"),
        (lambda: changed(continues=RECIPES[0]), "continues must be a text or None"),
        (lambda: changed(network="net"), "network must be a function, not 'net'"),
        (lambda: changed(summary=None), "summary must be a text, not None"),
        (
            lambda: changed(optimizer=Optimizer("adam", 0.1, beta_2=1.0)),
            "beta_1 and beta_2 must be at least 0 and below 1",
        ),
        (
            lambda: changed(optimizer=Optimizer("adam", 0.1, weight_decay=0.1)),
            "weight_decay has an effect with adamw only",
        ),
        (lambda: changed(optimizer=Optimizer("adamw", 0.1, weight_decay=-1)), "weight_decay must be at least 0"),
        (lambda: changed(label_smoothing=1.0), "label_smoothing must be at least 0 and below 1"),
        (lambda: changed(optimizer=Optimizer("sgd", float("inf"))), "learning_rate must be above 0"),
    ],
    ids=range(22),
)
def test_every_field_is_checked_when_a_recipe_is_written(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def changed(**changes):
    return replace(find_recipe("softmax_regression"), **changes)


def test_a_whole_number_is_a_number():
    assert changed(optimizer=Optimizer("sgd", 1, warm_up=0.5)).parameters()["optimizer.learning_rate"] == 1


def test_a_missing_folder_of_recipes_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_RECIPES", str(tmp_path / "none"))
    all_recipes.cache_clear()
    with pytest.raises(InvalidInput, match="MNIST_RECIPES"):
        all_recipes()


def test_a_continued_recipe_comes_with_its_start():
    names = [recipe.name for recipe in choose_recipes("quick", ["keras_conv_net_best", "relu_dropout_diverged"])]
    assert names == ["relu_dropout_naive", "relu_dropout_diverged", "keras_conv_net", "keras_conv_net_best"]


@pytest.mark.parametrize(
    ("suite", "names", "words"),
    [
        ("quik", [], "did you mean quick"),
        ("quick", ["conv_ned"], "did you mean conv_net"),
        ("quick", ["zzz"], "softmax_regression"),
        ("quick", ["conv_net", "conv_net"], "twice"),
    ],
)
def test_a_wrong_name_is_refused_with_the_valid_ones(suite, names, words):
    with pytest.raises(InvalidInput, match=words):
        choose_recipes(suite, names)
