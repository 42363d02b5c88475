"""What is doubtful about data that can be used: each is told, and nothing else."""

import numpy as np
import pytest

from mnist_models.data.assembly.doubts import doubts
from mnist_models.data.assembly.validate import checked
from mnist_models.data.dataset import Dataset, Facts


def images_of(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16), dtype=np.uint8)


def told(train, labels, test, test_labels, names=()):
    y_train, y_test = np.array(labels, np.int32), np.array(test_labels, np.int32)
    dataset = checked(Dataset("made", "made", train, y_train, test, y_test, facts=Facts(class_names=names)))
    return list(doubts(dataset, *dataset.keys))


TRAIN, LABELS = images_of(100, 1), [0, 1] * 50
TEST, TESTED = images_of(20, 2), [0, 1] * 10


def test_of_good_data_nothing_is_told():
    assert told(TRAIN, LABELS, TEST, TESTED) == []


def test_a_class_of_three_images():
    labels = [0] * 97 + [1] * 3
    assert told(TRAIN, labels, TEST, TESTED, ("cat", "dog")) == ["few training images of dog (3)"]


@pytest.mark.parametrize(
    ("copies", "words"), [(40, ["40 of 100 training images (40%) are copies of others"]), (10, [])]
)
def test_many_copies(copies, words):
    train = TRAIN.copy()
    train[-2 * copies :: 2] = TRAIN[0]  # those of one label
    assert told(train, LABELS, TEST, TESTED) == words


def test_a_class_that_is_missing_from_the_test():
    assert told(TRAIN, LABELS, TEST, [0] * 20, ("cat", "dog")) == ["no test image of dog"]


def test_all_images_are_equal():
    train, test = np.full((100, 16, 16), 7, np.uint8), np.full((20, 16, 16), 9, np.uint8)
    assert told(train, LABELS, test, TESTED) == ["all training images are equal"]


def test_labels_that_look_like_numbers_of_rows():
    labels = [index // 2 for index in range(100)]
    found = told(TRAIN, labels, TEST, range(20))
    assert "50 classes for 100 training images: the labels look like numbers of rows" in found
    assert sum("and 45 more" in each for each in found) == 1  # of the classes with few images


def test_an_equal_image_with_another_label():
    train = TRAIN.copy()
    train[1] = train[0]
    assert told(train, LABELS, TEST, TESTED) == ["1 training image has another label than an equal image"]


def test_a_leak():
    test = TEST.copy()
    test[:3] = TRAIN[:3]
    assert told(TRAIN, LABELS, test, [0, 1, 0, *TESTED[3:]]) == [
        "3 of 20 test images are training images, too: the accuracy will look too good"
    ]
