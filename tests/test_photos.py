"""Photos of sheets on tables, beside other things, in any light and colour."""

import numpy as np
import pytest
from photos import photo
from PIL import Image, ImageDraw
from scenes import KINDS
from scipy.ndimage import gaussian_filter

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation, prepare

MNIST = Preparation(size=(28, 28), light_on_dark=True, box=20, centre_by_mass=True)
LIKE = 0.8  # correlation of a prepared photo, in which a digit may be turned by 12 degrees, with the digit itself
TRIES = 3


def drawn(number):
    """A figure [280, 280], light on dark: 0, 1, 4, 7 or 8 with strokes of some width."""
    figure, width = Image.new("L", (280, 280)), 22 + number % 3 * 6
    draw = ImageDraw.Draw(figure)
    match number % 5:
        case 0:
            draw.ellipse((75, 45, 205, 235), outline=255, width=width)
        case 1:
            draw.line((150, 45, 125, 235), fill=255, width=width)
        case 2:
            draw.line((150, 45, 70, 160, 210, 160), fill=255, width=width, joint="curve")
            draw.line((170, 110, 160, 235), fill=255, width=width)
        case 3:
            draw.line((70, 55, 205, 60, 120, 235), fill=255, width=width, joint="curve")
        case 4:
            draw.ellipse((95, 45, 185, 135), outline=255, width=width)
            draw.ellipse((80, 120, 200, 235), outline=255, width=width)
    return figure


def likeness(kind, seed):
    """How much the image that comes of a photo is like the one that comes of the figure itself."""
    figure = np.asarray(drawn(seed))
    picture, _ = photo(figure, KINDS[kind](np.random.default_rng(seed)), seed)
    try:
        image = prepare(picture, MNIST).image
    except InvalidInput:
        return 0.0
    one, other = (gaussian_filter(each.astype(float), 1.5) for each in (image, prepare(figure, MNIST).image))
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize("kind", ["on a table", "tilted", "small sheet"])
def test_a_sheet_without_ink_is_blank(kind):
    for seed in range(3):
        picture, _ = photo(np.zeros((280, 280), np.uint8), KINDS[kind](np.random.default_rng(seed)), seed)
        with pytest.raises(InvalidInput, match="blank"):
            prepare(picture, MNIST)


@pytest.mark.parametrize("width", [25, 50, 75])
@pytest.mark.parametrize("shape", ["0", "1"])
def test_broad_strokes_that_fill_the_picture_are_no_sheet(shape, width):
    picture = Image.new("L", (300, 400), 230)
    draw = ImageDraw.Draw(picture)
    if shape == "0":
        draw.ellipse((20, 15, 280, 385), outline=30, width=width)
    else:
        draw.line((150, 20, 150, 380), fill=30, width=width)
    image = prepare(np.asarray(picture), MNIST).image
    left, top, right, bottom = Image.eval(picture, lambda value: 255 if value < 128 else 0).getbbox()
    assert np.flatnonzero(image.any(axis=1)).size == 20
    columns = np.flatnonzero(image.any(axis=0)).size
    assert columns == pytest.approx(20 * (right - left) / (bottom - top), abs=1.5)
    assert (image[14, 14] > 128) == (shape == "1")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_found(kind):
    found = [likeness(kind, seed) >= LIKE for seed in range(TRIES)]
    assert all(found), found
