import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from test_photos import drawn

from mnist_models.images.marks import count_marks


def strength(*strokes, size=(300, 300), width=22):
    picture = Image.new("L", size)
    for stroke in strokes:
        ImageDraw.Draw(picture).line(stroke, fill=255, width=width)
    return np.asarray(picture, np.float32) / 255


@pytest.mark.parametrize("number", range(10))
def test_one_figure_is_one_mark(number):
    assert count_marks(np.asarray(drawn(number), np.float32) / 255) == 1


@pytest.mark.parametrize("axis", [0, 1], ids=["above one another", "side by side"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 1), (3, 4), (2, 0)])
def test_two_figures_are_two_marks(first, second, axis):
    both = np.concatenate([np.asarray(drawn(each), np.float32) / 255 for each in (first, second)], axis=axis)
    assert count_marks(both) == 2


def test_three_figures_are_three_marks():
    assert count_marks(np.hstack([np.asarray(drawn(each), np.float32) / 255 for each in (0, 1, 2)])) == 3


@pytest.mark.parametrize(
    "strokes",
    [
        # The bar of a 5 that does not touch, a 4 of two strokes, the dot of an i, a broken 0.
        [(120, 60, 210, 60), (110, 90, 110, 150, 200, 170, 190, 240, 100, 245)],
        [(90, 50, 80, 150, 190, 150), (220, 60, 150, 250)],
        [(150, 60, 150, 75), (150, 120, 150, 250)],
        [(160, 50, 90, 100, 90, 200, 110, 225), (200, 90, 215, 200, 120, 265)],
    ],
    ids=["5", "4", "i", "0"],
)
def test_strokes_of_one_figure_that_do_not_touch_are_one_mark(strokes):
    assert count_marks(strength(*strokes)) == 1


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1, width=32)))
def test_any_ink_has_a_mark(ink):
    assert count_marks(ink) >= 1
