"""Who has put the champion where it is, told from the alias and from what the pipeline remembers."""

import pytest

from tasks.config.settings import load_settings
from tasks.registry.placement import MEMORY, Placement, observe, refusal, remember, twins
from tasks.tracking.tracker import Tracker

pytestmark = pytest.mark.slow

NAME = "test-model"


@pytest.fixture
def registry(store):
    """A tracker, and a registered model with three versions of which the pipeline has promoted the third."""
    tracker = Tracker(load_settings())
    tracker.client.create_registered_model(NAME)
    for number in (1, 2, 3):
        run = tracker.start_run(f"run {number}", {})
        tracker.client.create_model_version(NAME, "file:///nowhere", run, {"identity": f"training {number}"})
    point(tracker, 3)
    remember(tracker.client, NAME, Placement(("3",)))
    return tracker


def point(tracker, version):
    tracker.client.set_registered_model_alias(NAME, "champion", version)


def tags(tracker, version):
    return tracker.client.get_model_version(NAME, version).tags


def why(tracker, identity):
    _, placement = observe(tracker)
    return refusal(placement, twins(tracker.client, NAME, "another run", identity))


def test_what_the_pipeline_has_placed_may_be_replaced_by_anything_better(registry):
    serving, placement = observe(registry)
    assert (str(serving.version), placement) == ("3", Placement(("3",)))
    assert [why(registry, f"training {number}") for number in (1, 2, 3, 4)] == [None] * 4


@pytest.mark.parametrize("placed", ["3", "2"])
def test_a_move_that_was_killed_half_way_is_not_taken_for_a_persons(registry, placed):
    remember(registry.client, NAME, Placement(("3", "2")))
    point(registry, placed)
    assert observe(registry)[1].newest is None
    assert not any("rolled_back" in tags(registry, number) for number in "123")


def test_a_persons_version_stays_until_something_new_comes(registry):
    point(registry, 1)
    for _ in range(2):  # also when it was noticed before
        assert "a person has put version 1 in its place" in why(registry, "training 3")
        assert "only a new one" in why(registry, "training 2")
        assert why(registry, "training 4") is None
    assert tags(registry, 1)["decision"] == "put there by hand"
    assert tags(registry, 1)["reason"] == "a person has put it in the place of version 3"


def test_what_was_rolled_back_stays_so_after_the_next_promotion_and_until_a_person_brings_it_back(registry):
    point(registry, 1)
    observe(registry)
    point(registry, 2)
    remember(registry.client, NAME, Placement(("2",)))  # as a promotion would
    assert "does not return by itself" in why(registry, "training 3")
    assert why(registry, "training 1") is None
    point(registry, 3)
    observe(registry)
    assert "rolled_back" not in tags(registry, 3)


def test_an_alias_that_was_taken_away_does_not_come_back_by_itself(registry):
    registry.client.delete_registered_model_alias(NAME, "champion")
    assert "taken the alias away from it" in why(registry, "training 3")
    assert "only a new one" in why(registry, "training 1")
    assert why(registry, "training 4") is None


def test_a_champion_that_was_deleted_leaves_a_place_for_new_ones(registry):
    registry.client.delete_registered_model_alias(NAME, "champion")
    registry.client.delete_model_version(NAME, "3")
    serving, placement = observe(registry)
    assert (serving, placement.versions) == (None, ("",))
    assert why(registry, "training 4") is None


@pytest.mark.parametrize("noted", ["", "{", "[]", "3", '{"x": 1}'])
def test_a_memory_that_cannot_be_read_blames_nobody(registry, noted):
    registry.client.set_registered_model_tag(NAME, MEMORY, noted)
    point(registry, 1)
    assert observe(registry)[1].newest is None


def test_a_champion_from_before_moves_were_noted_is_remembered(registry):
    registry.client.delete_registered_model_tag(NAME, MEMORY)
    observe(registry)
    point(registry, 1)
    assert "a person has put version 1 in its place" in why(registry, "training 3")


def test_a_model_that_does_not_exist_has_no_champion(store):
    assert observe(Tracker(load_settings())) == (None, Placement(("",)))
