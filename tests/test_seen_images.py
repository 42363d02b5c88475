"""A model is never judged by images that it was trained on, however the data set has grown."""

import numpy as np

from mnist_models.evaluation.seen_images import by_origin, unseen

KEYS = np.arange(10, dtype=np.uint64)


def test_what_either_was_trained_on_does_not_count():
    assert unseen(KEYS, KEYS[:3], KEYS[8:]).tolist() == [False] * 3 + [True] * 5 + [False] * 2


def test_common_and_new_images_are_told_apart():
    candidate = np.array([True, True, False, True])
    champion = np.array([True, False, True, False])
    found = dict(by_origin(candidate, champion, np.array([True, True, True, False])))
    assert (found["common_images"], found["new_images"]) == (3, 1)
    assert found["common_candidate_accuracy"] == found["common_champion_accuracy"] == 2 / 3
    assert (found["new_candidate_accuracy"], found["new_champion_accuracy"]) == (1, 0)
    assert found["common_difference_low"] < found["common_difference"] == 0 < found["common_difference_high"]


def test_without_new_images_nothing_is_said_of_them():
    found = dict(by_origin(np.ones(3, bool), np.ones(3, bool), np.ones(3, bool)))
    assert found["new_images"] == 0
    assert not any(name.startswith("new_") and name != "new_images" for name in found)
