from dataclasses import replace

import pytest

from mnist_models.recipe_catalog import all_recipes, find_recipe
from mnist_models.training_run import plan
from mnist_models.training_run.plan import plan_trainings


def planned(names, seeds=(0,), digest="d", precision="float32", device="cpu", threads=1):
    recipes = [find_recipe(name) for name in names]
    return plan_trainings(recipes, seeds, digest, dict.fromkeys(all_recipes(), precision), device, threads)


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


@pytest.mark.parametrize(
    "change",
    [{"seeds": (1,)}, {"digest": "other"}, {"precision": "bfloat16"}, {"device": "gpu"}, {"threads": 2}],
    ids=str,
)
def test_whatever_decides_the_result_is_part_of_the_identity(change):
    names = ["relu_dropout_naive", "relu_dropout_diverged"]
    before = {training.identity for training in planned(names)}
    assert before == {training.identity for training in planned(names)}
    assert not before & {training.identity for training in planned(names, **change)}


def test_code_is_part_of_the_identity(monkeypatch):
    before = planned(["softmax_regression"])[0].identity
    monkeypatch.setattr(plan, "code_digest", lambda: "other")
    assert planned(["softmax_regression"])[0].identity != before


def test_a_change_of_the_start_changes_what_continues_it():
    naive, diverged = planned(["relu_dropout_naive", "relu_dropout_diverged"])
    start = replace(naive, recipe=replace(naive.recipe, steps=10))
    assert replace(diverged, start=start).identity != diverged.identity
