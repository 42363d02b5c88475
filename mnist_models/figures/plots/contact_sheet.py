"""Some images of one class side by side: those for training, then those for the test in a frame."""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from math import ceil
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

from mnist_models.data.dataset import Dataset
from mnist_models.data.report.report import ClassCounts
from mnist_models.figures.plots import style
from mnist_models.shown_text import in_title, shortened

MOST = 40  # images of a class
TEST_SHARE = 0.2  # of them
GAP, FRAME, MARGIN, HEAD = 6, 2, 12, 30  # pixels

Images = npt.NDArray[np.uint8]


class Chosen(NamedTuple):
    """Some images of a class, uint8 [n, h, w] or [n, h, w, 3]."""

    train: Images
    test: Images


class Choice:
    """Up to `most` images of each class, from all over the data set; they are read when they are asked for."""

    def __init__(self, dataset: Dataset, most: int = MOST) -> None:
        self._dataset, self._most = dataset, most
        self._train, self._test = (_by_class(each, dataset.classes) for each in (dataset.y_train, dataset.y_test))

    def of(self, label: int) -> Chosen:
        """Return those of a class."""
        train, test = self._train[label], self._test[label]
        for_test = min(len(test), max(1, round(self._most * TEST_SHARE)))
        shown = _spread(train, self._most - for_test), _spread(test, for_test)
        return Chosen(self._dataset.x_train[shown[0]], self._dataset.x_test[shown[1]])

    def __iter__(self) -> Iterator[Chosen]:
        return (self.of(label) for label in range(self._dataset.classes))


def _by_class(labels: npt.NDArray[np.int32], classes: int) -> list[npt.NDArray[np.int64]]:
    """Return the indices of each class's images, in their order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, classes)))


def _spread(indices: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).astype(np.int64)]


def sheet(chosen: Chosen, side: int, columns: int) -> Image.Image:
    """Return the images in rows of `columns`, each about `side` pixels large."""
    train, test = ([_tile(image, side) for image in part] for part in chosen)
    width, height = (train or test)[0].size
    across, down = width + GAP, height + GAP
    # Those for the test begin a row of their own, unless all fit into one.
    first = len(train) if len(train) + len(test) <= columns else ceil(len(train) / columns) * columns
    rows = ceil((first + len(test)) / columns)
    columns = min(columns, first + len(test))
    page = Image.new("RGB", (columns * across + GAP, rows * down + GAP), "white")
    for place, tile in [*enumerate(train), *enumerate(test, first)]:
        x, y = GAP + place % columns * across, GAP + place // columns * down
        if place >= first:
            page.paste(style.BLUE, (x - FRAME, y - FRAME, x + width + FRAME, y + height + FRAME))
        page.paste(tile, (x, y))
    return page


def titled_sheet(chosen: Chosen, counts: ClassCounts) -> Image.Image:
    """Return a large sheet under the name of the class and the number of its images."""
    images = sheet(chosen, side=96, columns=8)
    title, remark = shortened(in_title(counts.name), 40), _remark(chosen, counts)
    (large, small), pen = (_font(size) for size in (style.TITLE, style.TEXT)), ImageDraw.Draw(images)
    room = pen.textlength(title, large)
    width = max(images.width, round(room + pen.textlength(remark, small)) + 3 * MARGIN)
    page = Image.new("RGB", (width, images.height + HEAD), "white")
    page.paste(images, (0, HEAD))
    pen = ImageDraw.Draw(page)
    pen.text((GAP, 20), title, style.INK, large, anchor="ls")
    pen.text((GAP + room + MARGIN, 20), remark, style.MUTED, small, anchor="ls")
    return page


def _remark(chosen: Chosen, counts: ClassCounts) -> str:
    validation = f" and {counts.validation:,} validation" if counts.validation else ""
    framed = " (framed)" if len(chosen.test) else ""
    shown, there = len(chosen.train) + len(chosen.test), sum(counts[1:])
    some = f"; {shown} are shown" if shown < there else ""
    return f"{counts.train:,} training{validation} and {counts.test:,} test images{framed}{some}"


def _tile(image: Images, side: int) -> Image.Image:
    """Return an image enlarged by a whole number, or made smaller."""
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    if (factor := side // max(height, width)) > 1:
        return picture.resize((width * factor, height * factor), Image.Resampling.NEAREST)
    if max(height, width) > side:
        picture.thumbnail((side, side), Image.Resampling.BICUBIC)
    return picture


@lru_cache
def _font(points: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont(FontProperties()), points * style.DPI / 72)


def as_png(picture: Image.Image) -> bytes:
    """Return a picture as PNG."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def as_jpeg(picture: Image.Image) -> bytes:
    """Return a picture as JPEG, a fifth of the size that a coloured one has as PNG."""
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
