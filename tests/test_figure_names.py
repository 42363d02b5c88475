"""The names of classes in figures: of any length, number and alphabet, they stay inside and overlap nothing."""

import warnings
from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.text import Text
from PIL import Image

from mnist_models.evaluation.metrics import confusion_matrix
from mnist_models.figures.plots import lettering, raster
from mnist_models.figures.plots.confusion_layout import MOST_NAMES, Layout
from mnist_models.figures.plots.confusion_matrix import confusion_figure, per_class_accuracy
from mnist_models.figures.plots.example_images import mistakes, predictions, sample_images
from mnist_models.figures.plots.lettering import drawable, fitted, width, wrapped
from mnist_models.figures.plots.montage import Tile, montage
from mnist_models.figures.plots.raster import png
from mnist_models.figures.plots.style import new_figure

ODD = (
    "$x^2$ and $y$", r"\$5 \frac{1}{2} \n", "a_b_{c}", "<b>&amp;</b>", "кошка", "γάτα", "قطة سوداء", "חתול",
    "e\u0301le\u0300ve", "猫", "แมว", "x" * 200, "i" * 200, " - ", "$", "%s",
)  # fmt: skip
SIXTY = "Acer palmatum var. dissectum, a cultivated form, number "


def names_of(k):
    """Names of 60 characters."""
    return tuple(f"{SIXTY}{number:04d}" for number in range(k))


def classified(k, n=0):
    """Colour images of which the first 40 are mistakes, with labels and probabilities."""
    n = n or max(120, 2 * k)
    random, labels = np.random.default_rng(0), (np.arange(n) % k).astype(np.int32)
    probabilities = np.full((n, k), 0.1 / k, np.float32)
    probabilities[np.arange(n), np.where(np.arange(n) < 40, (labels + 1) % k, labels)] += 0.9
    return random.integers(0, 256, (n, 16, 20, 3), dtype=np.uint8), labels, probabilities


def figures_of(names):
    images, labels, probabilities = classified(len(names))
    matrix = confusion_matrix(probabilities, labels)
    return {
        "confusion matrix": confusion_figure(matrix, names),
        "per class": per_class_accuracy(matrix, names),
        "samples": sample_images(images, labels, names),
        "predictions": predictions(images, labels, probabilities, names),
        "mistakes": mistakes(images, labels, probabilities, names),
    }


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def boxes(figure):
    """Draw, and return each line of text with its box in pixels."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("error")
        made = []

        class Spy(raster._Renderer):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                made.append(self)

        patch.setattr(raster, "_Renderer", Spy)
        with Image.open(BytesIO(png(figure))) as picture:
            size = picture.size
    found = []
    for line in made[0].lines:
        left, top, right, bottom = line.font.getbbox(line.text, anchor="ls", direction=lettering.direction(line.font))
        x, y = line.position
        assert line.angle in (0, 90)
        level = x + left, y + top, x + right, y + bottom
        found.append((line.text, (x + top, y - right, x + bottom, y - left) if line.angle else level))
    return size, found


def overlap(one, other):
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1


NAMES = {
    "numbers": tuple(map(str, range(10))),
    "shapes": ("circle", "square", "triangle"),
    "letters": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "odd": ODD,
    **{f"{k} of 60 characters": names_of(k) for k in (2, 10, 26, 100, 1000)},
    "300 short": tuple(f"kind {number}" for number in range(300)),
    "100 wide": tuple(f"{number}{'W' * 190}" for number in range(100)),
}


@pytest.mark.slow
@pytest.mark.parametrize("which", NAMES)
def test_no_text_leaves_the_figure_or_covers_another(which):
    for title, figure in figures_of(NAMES[which]).items():
        (width_, height), texts = boxes(figure)
        assert width_ <= 920, title
        assert height < 1500, title
        for text, (left, top, right, bottom) in texts:
            assert left >= 0, (title, text)
            assert top >= 0, (title, text)
            assert right <= width_, (title, text)
            assert bottom <= height, (title, text)
        hits = [pair for pair in combinations(texts, 2) if overlap(pair[0][1], pair[1][1])]
        assert not hits, (title, hits[0])


def test_each_figure_says_the_names():
    for title, figure in figures_of(NAMES["shapes"]).items():
        text = "\n".join(words(figure))
        assert "circle" in text, title
        assert "class 0" not in text, title
    text = words(figures_of(NAMES["shapes"])["mistakes"])
    assert {"label circle", "✗ square"} <= set(text)
    matrix = np.array([[5, 0, 2], [0, 6, 0], [0, 1, 7]])
    said = "\n".join(words(confusion_figure(matrix, NAMES["shapes"])))
    assert "2 ×  circle taken for triangle" in said
    assert said.index("2 ×  circle") < said.index("1 ×  triangle taken for square")


def test_numbers_stay_as_they_were():
    figures = {title: "\n".join(words(figure)) for title, figure in figures_of(NAMES["numbers"]).items()}
    assert "class 3" in figures["per class"]
    assert "class 3" in figures["samples"]
    assert "label 3" in figures["predictions"]
    assert "✗ predicted 4, 91.0 %" in figures["predictions"]
    assert "3 taken for 4" in figures["confusion matrix"]


def test_numbers_with_gaps_are_those_of_the_user():
    names = ("3", "7", "12")
    assert "class 12" in words(figures_of(names)["per class"])
    assert "label 7" in words(figures_of(names)["predictions"])


def test_beside_a_large_matrix_some_names_stand():
    said = words(confusion_figure(np.eye(1000, dtype=np.int64), tuple(f"kind {number}" for number in range(1000))))
    names = [text for text in said if text.startswith("kind ")]
    assert 2 * 30 <= len(names) <= 2 * MOST_NAMES
    assert {"kind 0", "kind 25", "kind 975"} <= set(names)


def test_short_names_leave_the_list_beside_the_matrix():
    short, long = Layout(("cat", "dog"), [("1", "cat", "dog")]), Layout(names_of(2), [("1", *names_of(2))])
    assert short.height < 7
    assert long.height > 7  # the list is under it


def test_long_names_over_images_take_two_lines():
    figures = figures_of(names_of(100))
    for title, least in (("samples", 2 * 100), ("mistakes", 2 * 2 * 15), ("predictions", 2 * 2 * 15)):
        said = words(figures[title])
        assert sum("Acer" in line for line in said) + sum(line.startswith("…") for line in said) == least, title


def test_a_name_is_cut_in_its_middle():
    assert fitted("short", 1000) == "short"
    cut = fitted(f"{SIXTY}0007", 150)
    assert cut.startswith("Acer")
    assert cut.endswith("0007")
    assert 120 < width(cut) <= 150
    assert fitted("cat", 1) == "…"


def test_a_name_is_wrapped_at_a_space_or_cut():
    assert wrapped("maple tree", 1000, 2) == ("maple tree",)
    assert wrapped("maple tree", 50, 2) == ("maple", "tree")
    first, last = wrapped(f"{SIXTY}0007", 70, 2)
    assert SIXTY.startswith(first)
    assert last.startswith("…")
    assert last.endswith("0007")
    assert max(width(first), width(last)) <= 70
    assert len(wrapped("maple tree", 50, 1)) == 1


def test_no_name_is_a_formula():
    for angle in (0, 90):
        figure = new_figure(3)
        figure.text(0.1, 0.1, r"$\alpha$", rotation=angle, color="black", parse_math=False)
        (_, texts) = boxes(figure)
        ((text, (left, top, right, bottom)),) = [each for each in texts if each[0]]
        assert text == r"$\alpha$"
        assert max(right - left, bottom - top) > 40  # eight letters, not one
    said = [text for figure in figures_of(ODD).values() for text, _ in boxes(figure)[1]]
    assert r"\$5 \frac{1}{2} \n" in said
    assert all(r"\$5" in text for text in said if "$5" in text)  # Matplotlib would take the backslash away


def test_turned_text_stands_where_matplotlib_puts_it():
    figure = new_figure(3)
    figure.text(0.5, 0.5, "turned", rotation=90, color="black", va="bottom", ha="left")
    with Image.open(BytesIO(png(figure))) as picture:
        rows, columns = np.nonzero((np.asarray(picture.convert("RGB")) < 100).any(axis=2))
    assert abs(columns.min() - 451) < 6
    assert abs(rows.max() - 165) < 5
    assert rows.max() - rows.min() > 2 * (columns.max() - columns.min())


def test_letters_that_no_font_has_become_a_number(monkeypatch):
    monkeypatch.setattr(lettering, "_other_fonts", lambda: ())
    lettering._font_with.cache_clear()
    assert drawable(("cat", "猫", "кот", "cat 猫")) == ("cat", "class 1", "кот", "class 3")
    assert drawable(("e\u0301te\u0301",)) == ("été",)
    lettering._font_with.cache_clear()


def test_a_font_of_the_machine_that_has_them_is_used(monkeypatch, tmp_path):
    made = TTFont(findfont(FontProperties()))
    for table in made["cmap"].tables:
        table.cmap[ord("猫")] = "A"
    made.save(tmp_path / "with_cat.ttf")
    monkeypatch.setattr(lettering, "_other_fonts", lambda: (str(tmp_path / "gone.ttf"), str(tmp_path / "with_cat.ttf")))
    lettering._font_with.cache_clear()
    assert drawable(("猫",)) == ("猫",)
    assert width("猫") == width("A")
    lettering._font_with.cache_clear()


def test_a_line_goes_to_the_right_even_if_it_begins_with_a_hebrew_name():
    shown = {name: drawable((name,))[0] for name in ("חתול", "قطة")}
    if not lettering._has_layout():
        assert set(shown.values()) == {"class 0"}
        return
    assert [*shown] == [*shown.values()]
    face = lettering.font(FontProperties(size=9), 110, "חתול taken for b")
    assert lettering.direction(face) == "ltr"
    assert lettering.direction(lettering.font(FontProperties(size=9), 110, "cat")) is None


def test_colour_images_are_shown_in_their_colours():
    image = np.zeros((16, 16, 3), np.uint8)
    image[:8], image[8:] = (200, 10, 30), (5, 60, 250)
    with Image.open(BytesIO(png(montage("", [Tile(image)], 5, 1)))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    upper, lower = (np.argwhere((pixels == colour).all(axis=2)) for colour in (image[0, 0], image[-1, 0]))
    assert len(upper) == len(lower) > 5000
    assert upper[:, 0].max() < lower[:, 0].min()
