"""Labels as people write them."""

import numpy as np
import pytest

from mnist_models.data.assembly import assemble_files
from mnist_models.data.assembly.labels import as_classes, in_natural_order
from mnist_models.errors import InvalidInput

WHERE = {"train": "my.npz: y_train", "test": "my.npz: y_test"}
NUMBERS = np.array([0, 1, 2, 1])


def classes(train, test=None, stated=()):
    parts = {"train": np.asarray(train)} | ({} if test is None else {"test": np.asarray(test)})
    labels, names = as_classes(parts, stated, {part: WHERE[part] for part in parts})
    assert all(each.dtype == np.int32 for each in labels.values())
    return [each.tolist() for each in labels.values()], names


@pytest.mark.parametrize(
    ("train", "numbers", "names"),
    [
        (NUMBERS, [0, 1, 2, 1], ()),
        (NUMBERS[:, None], [0, 1, 2, 1], ()),
        (NUMBERS.astype(float), [0, 1, 2, 1], ()),
        (np.eye(3)[NUMBERS], [0, 1, 2, 1], ()),
        (np.eye(3, dtype=bool)[NUMBERS], [0, 1, 2, 1], ()),
        (NUMBERS + 1, [0, 1, 2, 1], ("1", "2", "3")),
        (NUMBERS * 10, [0, 1, 2, 1], ("0", "10", "20")),
        (np.array(["b", "a", "b"]), [1, 0, 1], ("a", "b")),
        (np.array([b"b", b"a", "ä".encode()]), [1, 0, 2], ("a", "b", "ä")),
        (np.array(["10", "9", "2"]), [2, 1, 0], ("2", "9", "10")),
        (np.array(["0", "1", "2"]), [0, 1, 2], ()),
        (np.array([" a ", "a", "b\n"]), [0, 0, 1], ("a", "b")),
    ],
)
def test_what_is_understood(train, numbers, names):
    assert classes(train) == ([numbers], names)


def test_parts_are_numbered_together():
    assert classes([3, 5, 3], [5, 5]) == ([[0, 1, 0], [1, 1]], ("3", "5"))
    assert classes(["b", "a"], ["b"]) == ([[1, 0], [1]], ("a", "b"))


def test_stated_names_count():
    assert classes([0, 1], [1], ("cat", "dog")) == ([[0, 1], [1]], ("cat", "dog"))
    assert classes([0, 2], [2], ("cat", "dog", "emu")) == ([[0, 1], [1]], ("cat", "emu"))


@pytest.mark.parametrize(
    ("train", "stated", "words"),
    [
        ([0.5, 1], (), "hold whole numbers, but some values are not whole"),
        ([np.nan, 1], (), "not whole"),
        ([-1, 0], (), "hold labels from 0 to"),
        ([[0, 0], [1, 0]], (), "one-hot with a single 1"),
        ([[0.5, 0.5], [1, 0]], (), "one-hot with a single 1"),
        (np.zeros((2, 2, 2)), (), "but has the shape"),
        ([], (), "is empty"),
        (np.array([1j, 2]), (), "has the type complex128"),
        (["a", " "], (), "one is empty"),
        (["a", "x" * 201], (), "at most 200 characters"),
        ([0, 2], ("cat", "dog"), "below 2"),
        ([0, 1], ("cat", "cat "), "differ"),
    ],
)
def test_what_is_refused(train, stated, words):
    with pytest.raises(InvalidInput, match=words):
        classes(train, stated=stated)


def test_kinds_are_not_mixed():
    with pytest.raises(InvalidInput, match="some are texts and some are numbers"):
        classes([0, 1], ["a", "b"])


def test_natural_order():
    assert in_natural_order({"b10", "b9", "A", "c", "10", "9"}) == ["9", "10", "A", "b9", "b10", "c"]


def test_image_files_are_numbered_alike():
    assert assemble_files.as_classes is as_classes
