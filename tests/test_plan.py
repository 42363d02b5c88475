"""Which trainings a request amounts to, and in which order they start."""

from mnist_models.recipe_catalog import all_recipes, find_recipe
from mnist_models.training_run.identity import Conditions
from mnist_models.training_run.plan import plan_trainings


def planned(names, seeds=(0,)):
    return plan_trainings(
        [find_recipe(name) for name in names], seeds, "data", lambda _recipe: Conditions("cpu", 1, "float32")
    )


def test_the_longest_chain_starts_first_and_a_start_before_what_continues_it():
    names = list(all_recipes())
    order = [training.recipe.name for training in planned(names)]
    assert sorted(order) == sorted(names)
    assert order[0] == "keras_conv_net"
    for recipe in all_recipes().values():
        if recipe.continues:
            assert order.index(recipe.continues) < order.index(recipe.name)


def test_a_continued_training_starts_from_the_same_seed():
    trainings = planned(["relu_dropout_naive", "relu_dropout_diverged"], seeds=(4, 5))
    starts = {t.seed: t.start.seed for t in trainings if t.start}
    assert starts == {4: 4, 5: 5}
    assert len({training.identity for training in trainings}) == 4
    assert len({training.folder for training in trainings}) == 4
