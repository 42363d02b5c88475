"""How the values of a user's images are understood: from types and all values of both parts, never from one of them."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_data import arrays_of, make_dataset
from PIL import Image

from mnist_models.data.assembly.validate import validated
from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput

MADE = arrays_of(make_dataset(classes=3, side=16, train=30, test=12))
INK = {name: MADE[name].astype(np.float64) for name in ("x_train", "x_test")}  # 0 to 240
SCALES = st.sampled_from([1, 255])


def read(pixel_max=None, **images):
    stated = {} if pixel_max is None else {"pixel_max": np.array(pixel_max)}
    return validated("made", "my.npz", **(MADE | images), **stated)


def scaled(factor, dtype=np.float64):
    return {name: (images / 255 * factor).astype(dtype) for name, images in INK.items()}


def assert_the_same(data):
    for name in INK:
        assert np.abs(getattr(data, name).astype(int) - MADE[name]).max() <= 1


def read_if_evident(images):
    """None where it is refused."""
    with suppress(InvalidInput):
        return read(**images)
    return None


def with_values(images, part, low, high):
    changed = {name: array.copy() for name, array in images.items()}
    changed[part][3, :2, 5] = low, high
    return changed


@given(SCALES, st.sampled_from([np.float32, np.float64]), st.floats(0, 0.3), st.floats(1, 1.3), st.sampled_from([*INK]))
def test_a_little_above_and_below_does_not_change_the_scale(most, dtype, low, high, part):
    data = read(**with_values(scaled(most, dtype), part, -low * most, high * most))
    clipped = with_values({name: array.copy() for name, array in INK.items()}, part, 0, 255)
    for name in INK:
        assert np.abs(getattr(data, name) - clipped[name]).max() <= 1
    assert f"floats from 0 to {most}" in data.pixels


@pytest.mark.fault(6)
def test_the_largest_value_that_a_resize_leaves_is_no_other_scale():
    images = scaled(1, np.float32)
    images["x_train"][0, 0, 0] = 1.0000002
    data = read(**images)
    assert data.x_train[0, 0, 0] == 255
    np.testing.assert_array_equal(data.x_train[1:], MADE["x_train"][1:])
    assert data.pixels == "floats from 0 to 1; x_train run from 0 to 1.0000002, which is clipped"


@pytest.mark.parametrize("most", [1, 255])
@pytest.mark.parametrize("way", [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("side", [16, 20, 40])
def test_what_a_resize_leaves_is_understood(most, way, side):
    resized = {
        name: np.stack([np.asarray(Image.fromarray(each).resize((side, side), way)) for each in images])
        for name, images in scaled(most, np.float32).items()
    }
    assert read(**resized).pixels.startswith(f"floats from 0 to {most}")


@given(SCALES, st.floats(2, 1e6), st.sampled_from([*INK]))
def test_damaged_pixels_never_make_the_others_black(most, value, part):
    data = read_if_evident(with_values(scaled(most), part, 0, value * most))
    assert data is None or data.x_train.max() > 100


@given(st.floats(-3, 3), st.floats(0.01, 300))
def test_floats_on_any_other_scale_are_refused_or_stay_visible(shift, factor):
    images = {name: images / 240 * factor + shift for name, images in INK.items()}
    data = read_if_evident(images)
    assert data is None or (data.x_train.max() >= 127 and len(np.unique(data.x_train)) > 10)


@pytest.mark.fault(6)
@pytest.mark.parametrize("part", [*INK])
def test_two_scales_in_one_data_set_are_refused(part):
    images = scaled(255) | {part: scaled(1)[part]}
    with pytest.raises(InvalidInput, match=f"my.npz: x_train and x_test must have one scale, but {part} reaches 0.9"):
        read(**images)


def test_integers_and_floats_have_each_their_own_scale():
    data = read(x_train=scaled(1)["x_train"])
    assert_the_same(data)
    assert data.pixels == "x_train floats from 0 to 1, x_test integers from 0 to 255"


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("images", "words"),
    [
        (scaled(2.7), "must hold floats from 0 to 1 or from 0 to 255, but they run from 0 to 2.5.* which is neither"),
        (scaled(1 / 255), "from 0 to 1 or from 0 to 255, .* which is neither"),
        (with_values(scaled(1), "x_train", 0, 200.0), "only 1 of the .* pixels that are not black are above 1"),
        ({name: images > 100 for name, images in INK.items()}, "integers reach no more"),
    ],
)
def test_what_is_ambiguous_is_refused_with_the_way_to_state_it(images, words):
    images = {name: array.astype(int) if array.dtype == bool else array for name, array in images.items()}
    with pytest.raises(InvalidInput, match=words) as refusal:
        read(**images)
    assert str(refusal.value).endswith("by an array pixel_max in an .npz file: pixel_max=1 or pixel_max=255.")


@given(st.sampled_from([0.5, 1, 2.7, 255, 1000, 65535]), st.sampled_from([np.float32, np.float64]))
def test_what_is_stated_counts(most, dtype):
    data = read(most, **scaled(most, dtype))
    assert_the_same(data)
    assert data.pixels == f"from 0 to {most:g}, as pixel_max says"


def test_integers_can_be_stated_too():
    binary = {name: (images > 100).astype(np.uint8) for name, images in INK.items()}
    assert set(np.unique(read(1, **binary).x_train)) == {0, 255}
    assert set(np.unique(read(255, **binary).x_train)) == {0, 1}


@pytest.mark.parametrize("wrong", [0, -1, np.nan, np.inf, [1, 255], []])
def test_a_statement_that_is_no_number_is_refused(wrong):
    with pytest.raises(InvalidInput, match="pixel_max must be one number above 0, such as 1 or 255"):
        read(wrong)


def test_values_beyond_what_is_stated_are_refused():
    with pytest.raises(InvalidInput, match="x_train must hold values from 0 to 1, as pixel_max says, but they run"):
        read(1, **scaled(255))


def test_a_file_can_state_it(tmp_path):
    np.savez(tmp_path / "my.npz", **(MADE | scaled(2.7)), pixel_max=2.7)
    data = read_data(tmp_path / "my.npz")
    assert_the_same(data)
    assert data.pixels == "from 0 to 2.7, as pixel_max says"
    np.savez(tmp_path / "my.npz", **MADE, pixel_max="white")
    with pytest.raises(InvalidInput, match="pixel_max must hold numbers"):
        read_data(tmp_path / "my.npz")


def test_black_images_have_no_scale_to_get_wrong():
    assert read(**{name: np.zeros_like(images) for name, images in INK.items()}).x_train.max() == 0
