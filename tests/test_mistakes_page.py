from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO, StringIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_models.evaluation.mistakes_page import mistakes_html, mistakes_table

LABELS = np.array([0, 1, 2, 0, 1], np.int32)
PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.05, 0.95, 0.0], [0.0, 0.2, 0.8], [0.1, 0.8, 0.1]], np.float32
)
NAMES = ("circle", '<b>$x$ & "y"', "חתול")
IMAGES = np.arange(5 * 16 * 20, dtype=np.uint32).astype(np.uint8).reshape(5, 16, 20)


def test_the_most_confident_mistake_comes_first():
    table = mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES)
    assert list(table.columns) == [
        "index", "label", "prediction", "label_name", "prediction_name", "confidence", "label_probability", "image",
    ]  # fmt: skip
    assert table["index"].tolist() == [2, 3, 1]
    assert table["label"].tolist() == [2, 0, 1]
    assert table["prediction"].tolist() == [1, 2, 0]
    assert table["label_name"].tolist() == [NAMES[2], NAMES[0], NAMES[1]]
    assert table["prediction_name"].tolist() == [NAMES[1], NAMES[2], NAMES[0]]
    assert table["confidence"].tolist() == pytest.approx([0.95, 0.8, 0.6])
    assert table["label_probability"].tolist() == pytest.approx([0, 0, 0.3])
    assert table.attrs == {"mistakes": 3, "images": 5}


def test_the_picture_is_the_image():
    table = mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES)
    kind, data = table["image"][0].split(",")
    assert kind == "data:image/png;base64"
    with Image.open(BytesIO(b64decode(data))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), IMAGES[2])


def test_colour_images_keep_their_colours():
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 20, 3), dtype=np.uint8)
    table = mistakes_table(PROBABILITIES, LABELS, images, NAMES)
    with Image.open(BytesIO(b64decode(table["image"][0].split(",")[1]))) as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture), images[2])


def test_names_are_shown_as_they_are():
    class Text(HTMLParser):
        def __init__(self):
            super().__init__()
            self.words = []

        def handle_data(self, data):
            self.words.append(data)

    text = Text()
    text.feed(mistakes_html(mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES)))
    page = "".join(text.words)
    assert f"{NAMES[2]} taken for {NAMES[1]}" in page
    assert f"95.0 % sure, 0.0 % for {NAMES[2]}" in page
    numbers = mistakes_html(mistakes_table(PROBABILITIES, LABELS, IMAGES, ("0", "1", "2")))
    assert "<bdi>2</bdi> <i>taken for</i> <bdi>1</bdi>" in numbers


def test_the_table_can_be_read_back():
    table = mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES)
    read = pd.read_csv(StringIO(table.to_csv(index=False)))
    assert read["label_name"].tolist() == [NAMES[2], NAMES[0], NAMES[1]]
    assert read["label"].tolist() == [2, 0, 1]


def test_limit_keeps_the_most_confident_and_the_count():
    table = mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES, limit=2)
    assert table["index"].tolist() == [2, 3]
    assert "3 mistakes, 60.00 % of 5" in mistakes_html(table)
    assert "2 most confident" in mistakes_html(table)


def test_a_diverged_model_has_rows_without_confidence():
    probabilities = PROBABILITIES.copy()
    probabilities[2] = np.nan
    table = mistakes_table(probabilities, LABELS, IMAGES, NAMES)
    assert table["index"].tolist() == [3, 1, 2]
    assert np.isnan(table["confidence"][2])
    assert "NaN sure" in mistakes_html(table)


def test_no_mistakes_is_a_page_too():
    table = mistakes_table(np.eye(3, dtype=np.float32)[LABELS], LABELS, IMAGES, NAMES)
    assert len(table) == 0
    assert "No mistakes among 5 test images" in mistakes_html(table)


def test_the_page_needs_nothing_else():
    class Page(HTMLParser):
        def __init__(self):
            super().__init__()
            self.sources, self.tags = [], set()

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)
            self.sources += [value for name, value in attrs if name in ("src", "href")]

    page = Page()
    html = mistakes_html(mistakes_table(PROBABILITIES, LABELS, IMAGES, NAMES))
    page.feed(html)
    assert len(page.sources) == 3
    assert all(source.startswith("data:image/png") for source in page.sources)
    assert not page.tags & {"script", "link", "iframe"}
    assert "image-rendering: pixelated" in html
    assert "prefers-color-scheme: dark" in html
    assert "{{" not in html
