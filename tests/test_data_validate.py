import dataclasses

import numpy as np
import pytest
from made_data import arrays_of, make_dataset

from mnist_models.data.assembly.validate import validated
from mnist_models.errors import InvalidInput

ARRAYS = arrays_of(make_dataset(classes=3, side=16, train=30, test=12))


def check(**changes):
    return validated("made", "the test", **(ARRAYS | changes))


def refused(message, **changes):
    with pytest.raises(InvalidInput, match=message) as refusal:
        check(**changes)
    assert str(refusal.value).startswith("data: the test: ")


def test_what_a_data_set_says_of_itself():
    data = make_dataset(classes=5, side=20, train=50, test=10)
    assert (data.classes, data.image_shape) == (5, (20, 20, 1))
    assert [getattr(data, key).dtype for key in ARRAYS] == [np.uint8, np.int32, np.uint8, np.int32]


def test_height_and_width_are_not_swapped():
    shape = check(x_train=np.zeros((30, 16, 24), np.uint8), x_test=np.zeros((12, 16, 24), np.uint8)).image_shape
    assert shape == (16, 24, 1)


def test_digest_covers_every_array_and_shape_but_not_the_name():
    data = check()
    assert len(data.digest) == 64
    assert dataclasses.replace(data, name="other", source="elsewhere").digest == data.digest
    digests = {data.digest}
    for key, array in ARRAYS.items():
        changed = array.copy()
        changed[-1] = 1 - changed[-1] if key.startswith("y") else 255 - changed[-1]
        digests.add(dataclasses.replace(data, **{key: changed}).digest)
    digests.add(dataclasses.replace(data, x_train=data.x_train.reshape(30, 8, 32)).digest)
    assert len(digests) == 6


def test_arrays_are_read_only_and_the_callers_are_not():
    images = ARRAYS["x_train"].copy()
    data = check(x_train=images)
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0
    images[0] = 0


def test_a_channel_axis_of_one_is_dropped():
    assert check(x_train=ARRAYS["x_train"][..., None]).x_train.shape == (30, 16, 16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4"])
def test_floats_up_to_one_are_scaled(dtype):
    images = (ARRAYS["x_train"] / 255).astype(dtype)
    np.testing.assert_array_equal(check(x_train=images).x_train, ARRAYS["x_train"])


@pytest.mark.parametrize("dtype", [np.float32, np.int64, ">u2"])
def test_values_up_to_255_are_kept(dtype):
    np.testing.assert_array_equal(check(x_train=ARRAYS["x_train"].astype(dtype)).x_train, ARRAYS["x_train"])


def test_floats_are_rounded_not_cut():
    images = ARRAYS["x_train"].astype(np.float32)
    images[0] = 2.6
    images[1] = 200
    assert check(x_train=images).x_train[0, 0, 0] == 3


def with_value(value, dtype):
    images = ARRAYS["x_train"].astype(dtype)
    images[3, 4, 5] = value
    return images


@pytest.mark.fault(6)
@pytest.mark.parametrize("key", ["x_train", "x_test"])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((30, 16, 16, 2), np.uint8),
            r"must hold images .* 1 or 3 channels, but .* \(30, 16, 16, 2\)",
        ),
        (
            np.zeros((30, 16, 16, 4), np.uint8),
            r"must hold images .* 1 or 3 channels, but .* \(30, 16, 16, 4\)",
        ),
        (np.zeros((30, 256), np.uint8), r"must hold images .* has the shape \(30, 256\)"),
        (np.zeros((0, 16, 16), np.uint8), "must hold at least one image"),
        (np.zeros((30, 15, 16), np.uint8), "must hold images of 16 to 224 pixels a side, but they are 15×16"),
        (np.zeros((30, 16, 225), np.uint8), "must hold images of 16 to 224 pixels a side, but they are 16×225"),
        (with_value(np.nan, np.float32), "must hold finite values"),
        (with_value(np.inf, np.float32), "must hold finite values"),
        (with_value(256, np.int32), "must hold values from 0 to 255, .* run from 0 to 256"),
        (with_value(-1, np.int32), "must hold values from 0 to 255, .* run from -1 to"),
        (with_value(400.0, np.float64), "must hold values from 0 to 255"),
        (with_value(-100.0, np.float64), "must hold values from 0 to 255"),
        (ARRAYS["x_train"].astype(object), "must hold integers .* has the type object"),
        (ARRAYS["x_train"].astype(complex), "must hold integers .* has the type complex128"),
        (ARRAYS["x_train"].astype(str), "must hold integers .* has the type <U"),
    ],
)
def test_images_are_refused(key, images, message):
    refused(f"{key} {message}", **{key: images})


def test_the_largest_and_smallest_sides_are_allowed():
    for side in (16, 128):
        images = {"x_train": np.zeros((30, side, side), np.uint8), "x_test": np.zeros((12, side, side), np.uint8)}
        assert check(**images).image_shape == (side, side, 1)


def with_label(value, dtype=np.int64):
    labels = ARRAYS["y_train"].astype(dtype)
    labels[3] = value
    return labels


@pytest.mark.fault(6)
@pytest.mark.parametrize("key", ["y_train", "y_test"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(3)[ARRAYS["y_train"]], r"must be .* not one-hot, but has the shape \(30, 3\)"),
        (np.zeros(0, np.int32), "must hold at least one label"),
        (with_label(1.5, float), "must hold whole numbers, but some"),
        (with_label(np.nan, float), "must hold whole numbers, but some"),
        (with_label(np.inf, float), "must hold labels from 0 to 999, but they run from 0.0 to inf"),
        (ARRAYS["y_train"].astype(str), "must hold whole numbers, but has the type <U"),
        (ARRAYS["y_train"].astype(object), "must hold whole numbers, but has the type object"),
        (with_label(-1), "must hold labels from 0 to 999, but they run from -1 to 2"),
        (with_label(1000), "must hold labels from 0 to 999, but they run from 0 to 1000"),
        (with_label(2**63, np.uint64), "must hold labels from 0 to 999"),
    ],
)
def test_labels_are_refused(key, labels, message):
    refused(f"{key} {message}", **{key: labels})


def test_whole_floats_are_labels():
    np.testing.assert_array_equal(check(y_train=ARRAYS["y_train"].astype(float)).y_train, ARRAYS["y_train"])


def test_counts_must_agree():
    refused("x_train and y_train .* 30 images and 29 labels", y_train=ARRAYS["y_train"][:-1])
    refused("x_test and y_test .* 11 images and 12 labels", x_test=ARRAYS["x_test"][:-1])


def test_sizes_must_agree():
    refused("x_test .* 16×16, but they are 16×17", x_test=np.zeros((12, 16, 17), np.uint8))


@pytest.mark.fault(6)
def test_classes_must_be_complete():
    only_zero = {"y_train": np.zeros(30, int), "y_test": np.zeros(12, int)}
    refused("at least 2 classes", **only_zero)
    refused("class 1 has none", y_train=np.where(ARRAYS["y_train"] == 1, 2, ARRAYS["y_train"]))
    refused("class 3 has one", y_train=with_label(3))
    refused("y_test .* 0 to 2, but holds 3", y_test=np.append(ARRAYS["y_test"][:-1], 3))


def test_a_thousand_classes_are_allowed():
    labels = np.repeat(np.arange(1000), 2)
    assert check(x_train=np.zeros((2000, 16, 16), np.uint8), y_train=labels).classes == 1000
