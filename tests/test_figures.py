from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from mnist_models.evaluation.calibration import calibration
from mnist_models.evaluation.metrics import confusion_matrix, wilson_interval
from mnist_models.figures.plots.accuracy_ranking import accuracy_ranking
from mnist_models.figures.plots.confusion_matrix import confusion_figure, per_class_accuracy
from mnist_models.figures.plots.error_axis import accuracy_floor, error_limits, error_position, loss_limit
from mnist_models.figures.plots.example_images import mistakes, predictions, sample_images
from mnist_models.figures.plots.initialisation import initialisation_study
from mnist_models.figures.plots.learning_curves import learning_curves
from mnist_models.figures.plots.overlaid_curves import overlaid_curves
from mnist_models.figures.plots.raster import png
from mnist_models.figures.plots.reliability import reliability_diagram
from mnist_models.figures.plots.series import envelope, first_nan, moving_average
from mnist_models.figures.plots.style import RIGHT_SIGN, WRONG_SIGN, new_figure, percent
from mnist_models.shown_text import shortened


def history(epochs=3, steps=200, last=0.99, nan_at=None):
    step = np.arange(1, epochs * steps + 1)
    error = 1 - last + 0.9 * np.exp(-step / 50)
    curves = {"loss": 2.5 * error, "accuracy": 1 - error}
    if nan_at:
        curves["loss"][nan_at - 1 :] = np.nan
        curves["accuracy"][nan_at - 1 :] = 0.1
    ends = slice(steps - 1, None, steps)
    made = {f"train/{name}": (step, values) for name, values in curves.items()}
    return made | {f"validation/{name}": (step[ends], values[ends]) for name, values in curves.items()}


def classified(n=60, k=10, side=16, wrong=8, seed=0):
    """Images, labels and probabilities of which the first `wrong` are mistakes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n).astype(np.int32)
    answers = np.where(np.arange(n) < wrong, (labels + 1) % k, labels)
    probabilities = np.full((n, k), 0.1 / k, np.float32)
    probabilities[np.arange(n), answers] += 0.9
    return random.integers(0, 256, (n, side, side), dtype=np.uint8), labels, probabilities


def numbers(k=10):
    """The names of classes that have none."""
    return tuple(map(str, range(k)))


def drawn(figure):
    """The figure's pixels, after a look at what every figure must be."""
    data = png(figure)
    with Image.open(BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert 880 <= picture.width <= 920
        assert picture.height < 1500
        return np.asarray(picture.convert("RGB"))


def words(figure):
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


CURVES = {
    "usual": history(),
    "diverged": history(nan_at=300),
    "diverged at once": history(nan_at=1),
    "infinite": {"train/loss": (np.arange(4), np.array([1, np.inf, -np.inf, 1e300]))},
    "one step": {"train/loss": (np.array([1]), np.array([2.3])), "train/accuracy": (np.array([1]), np.array([0.1]))},
    "validation only": {name: values for name, values in history().items() if name.startswith("validation")},
    "long": history(epochs=20, steps=1000),
    "empty": {},
}


@pytest.mark.parametrize("name", CURVES)
def test_learning_curves_of_any_run(name):
    assert drawn(learning_curves(CURVES[name], "$not a formula$ $\\frac$", test_accuracy=0.99)).std() > 5
    drawn(learning_curves(CURVES[name], "a run", test_accuracy=np.nan, nan_step=5))
    drawn(overlaid_curves({"run": CURVES[name], "other": history()}))
    drawn(overlaid_curves({"run": CURVES[name], "other": history()}, "train/loss", x="share"))


def test_learning_curves_say_what_they_show():
    text = words(learning_curves(history(nan_at=300), "the title", test_accuracy=0.9927))
    for part in ("the title", "training", "validation", "test 99.27 %", "loss is NaN from step 300"):
        assert part in text
    assert "loss is NaN" not in words(learning_curves(history(), ""))
    assert "NaN from step 7" in words(learning_curves(history(), "", nan_step=7))


def test_an_axis_that_hides_values_says_so():
    figure = learning_curves(history(), "")
    loss, accuracy = figure.axes
    assert accuracy.get_ylim()[0] > 0.8
    assert "axis starts at" in words(figure)
    assert "axis ends at" in words(figure)
    assert loss.get_ylim()[0] == 0


def test_limits_show_the_lesson():
    assert accuracy_floor(np.array([0.1, 0.97, 0.98, 0.99, 0.99])) == 0.95
    assert accuracy_floor(np.array([0.99, 0.1, 0.1, 0.1, 0.1])) == 0
    assert accuracy_floor(np.array([np.nan])) == 0
    assert loss_limit(history()) < 0.5
    assert loss_limit({}) == 2
    assert 2 <= loss_limit({"train/loss": (np.arange(10), np.geomspace(2.3, 1e30, 10))}) < 10


def test_every_tenfold_fall_of_the_error_takes_equal_room():
    assert error_position([0.0, 0.9, 0.99, 0.999]) == pytest.approx([0, 1, 2, 3])
    assert error_position(1.0) == error_position(0.99999) == pytest.approx(4)
    low, high = error_limits([0.098, 0.995, np.nan])
    assert low < error_position(0.098) < error_position(0.995) < high


def test_smoothing_skips_what_is_not_finite():
    values = np.array([1.0, 3.0, np.nan, 5.0, np.inf])
    np.testing.assert_allclose(moving_average(values, 1), [2, 2, np.nan, 5, np.nan])
    assert first_nan({"train/loss": (np.array([10, 20, 30]), np.array([1, np.nan, 2]))}) == 20
    assert first_nan(history()) is None


def test_an_enormous_loss_hides_nothing_after_it():
    steps = np.arange(1000)
    values = np.where(steps == 100, 1e30, 0.5)
    run = {"train/loss": (steps, values)}
    for figure in (learning_curves(run, ""), overlaid_curves({"run": run}, "train/loss")):
        curve = figure.axes[0].lines[-1].get_ydata()
        assert curve[-100:] == pytest.approx(np.full(100, 0.5))


def test_envelope_keeps_extremes():
    values = np.zeros(10000)
    values[5000], values[7000] = 9, -9
    steps, kept = envelope(np.arange(10000), values, 100)
    assert len(steps) == len(kept) == 200
    assert (kept.max(), kept.min()) == (9, -9)


@pytest.mark.parametrize(("k", "side"), [(2, 16), (10, 28), (100, 128), (1000, 16)])
def test_image_grids_of_any_data_set(k, side):
    images, labels, probabilities = classified(n=40, k=k, side=side)
    drawn(sample_images(images, labels, numbers(k)))
    drawn(predictions(images, labels, probabilities, numbers(k)))
    drawn(mistakes(images, labels, probabilities, numbers(k)))
    drawn(predictions(images[:, : side // 2], labels, probabilities, numbers(k)))


def test_every_class_has_samples():
    images, labels, _ = classified(n=300, k=12)
    text = words(sample_images(images, labels, numbers(12)))
    assert all(f"class {label}" in text for label in range(12))
    images, labels, _ = classified(n=3000, k=1000)
    assert f"120 of {len(np.unique(labels))} classes" in words(sample_images(images, labels, numbers(1000)))


@pytest.mark.parametrize("side", [16, 28])
def test_an_image_is_shown_as_it_is(side):
    images = np.zeros((1, side, side), np.uint8)
    images[0, : side // 2] = 200
    pixels = drawn(sample_images(images, np.array([0], np.int32), numbers(1)))
    black = (pixels == 0).all(axis=2).sum()
    assert black % (side * side // 2) == 0
    assert 500 < black <= (pixels == 200).all(axis=2).sum() < 1.1 * black
    upper, lower = (np.median(np.argwhere((pixels == grey).all(axis=2))[:, 0]) for grey in (200, 0))
    assert upper < lower


def test_predictions_are_marked_by_sign_and_colour():
    text = words(predictions(*classified(wrong=4), numbers()))
    assert text.count(WRONG_SIGN) == 4
    assert text.count(RIGHT_SIGN) == 11
    assert "56 of all 60" in text


def test_mistakes_are_counted_and_the_most_confident_come_first():
    images, labels, probabilities = classified(n=200, wrong=20)
    surest = np.arange(19, 4, -1)
    probabilities[surest] *= np.linspace(1.05, 1.01, len(surest), dtype=np.float32)[:, None]
    text = words(mistakes(images, labels, probabilities, numbers()))
    assert "20 mistakes, 10.0 % of 200; the 15 most confident" in text
    assert text.count(WRONG_SIGN) == 15
    order = [int(line.removeprefix("label ")) for line in text.splitlines() if line.startswith("label ")]
    assert order == labels[surest].tolist()
    assert "1 mistake, 0.50 % of 200" in words(mistakes(*classified(n=200, wrong=1), numbers()))


def test_no_mistakes_is_a_figure_too():
    figure = mistakes(*classified(wrong=0), numbers())
    assert "No mistakes among 60" in words(figure)
    drawn(figure)


@pytest.mark.parametrize("k", [2, 10, 20, 100, 1000])
@pytest.mark.parametrize("values", ["usual", "nan", "perfect"])
def test_figures_of_any_evaluation(k, values):
    _, labels, probabilities = classified(n=100, k=k, side=16, wrong=0 if values == "perfect" else 9)
    if values == "nan":
        probabilities[:] = np.nan
    matrix = confusion_matrix(probabilities, labels)
    drawn(confusion_figure(matrix, numbers(len(matrix))))
    drawn(per_class_accuracy(matrix, numbers(len(matrix))))
    drawn(reliability_diagram(probabilities, labels))


def test_confusion_matrix_has_numbers_for_few_classes():
    matrix = np.diag([500, 600, 700])
    matrix[0, 1], matrix[1, 2] = 2, 37
    text = words(confusion_figure(matrix, numbers(len(matrix)))).splitlines()
    assert {"500", "600", "700", "37"} <= set(text)
    assert "39 mistakes among 1,839 test images" in text
    assert text.index("37 ×  1 taken for 2") < text.index("2 ×  0 taken for 1")
    assert "500" not in words(confusion_figure(np.diag(np.full(21, 500)), numbers(21))).splitlines()


def test_one_mistake_is_seen_beside_a_thousand_classes():
    matrix = np.diag(np.full(1000, 10))
    clean = drawn(confusion_figure(matrix, numbers(len(matrix))))
    matrix[500, 700] = 1
    different = np.abs(clean.astype(int) - drawn(confusion_figure(matrix, numbers(len(matrix))))).max(axis=2)
    assert (different[100:, 100:650] > 60).sum() >= 8


def test_the_worst_classes_are_shown():
    _, labels, probabilities = classified(n=2000, k=50, wrong=0)
    probabilities[labels == 33] = np.eye(50)[0]
    text = words(per_class_accuracy(confusion_matrix(probabilities, labels), numbers(50)))
    assert "the worst 30 of 50 classes" in text
    assert "class 33" in text
    assert "class 49" not in text


def test_reliability_diagram_names_the_error():
    _, labels, probabilities = classified(n=100, wrong=10)
    error = calibration(probabilities, labels).error
    assert f"error {percent(error)}" in words(reliability_diagram(probabilities, labels))


def test_comparison_puts_the_best_first_and_highlights_it():
    accuracies = [0.098, 0.9951, np.nan, 0.99]
    ends = [
        wilson_interval(round(10000 * accuracy), 10000) if accuracy == accuracy else (np.nan,) * 2
        for accuracy in accuracies
    ]
    figure = accuracy_ranking(
        ["collapsed", "winner", "failed", "a" * 100], accuracies, *zip(*ends, strict=True), ["", "best", "failed", ""]
    )
    drawn(figure)
    text = words(figure)
    assert text.index("winner") < text.index("aaaa") < text.index("collapsed") < text.index("failed")
    assert "99.51 %  best" in text
    bold = [t.get_text() for t in figure.findobj(mpl.text.Text) if t.get_fontweight() in ("bold", 700)]
    assert bold == ["winner", "99.51 %  best"]
    drawn(accuracy_ranking([], [], [], [], []))


def test_overlaid_runs_are_ordered_and_divergence_is_marked():
    runs = {f"run {index}": history(last=0.9 + index / 130) for index in range(12)} | {"diverged": history(nan_at=250)}
    figure = overlaid_curves(runs)
    drawn(figure)
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "run 11" in names[0]
    assert "diverged  ✕ NaN" in names[-1]
    assert sum("✕" in name for name in names) == 1
    losses = overlaid_curves(runs, "validation/loss").axes[0].get_legend().get_texts()
    assert "run 0" in losses[-1].get_text() or "NaN" in losses[-1].get_text()
    drawn(overlaid_curves({}))


def test_initialisation_study_emphasises_five_epochs():
    epochs = np.arange(1, 21)
    figure = initialisation_study({"narrow": (epochs, 1 - 0.8 / epochs), "Glorot": (epochs, 1 - 0.2 / epochs)})
    drawn(figure)
    first, whole = figure.axes
    assert [len(line.get_xdata()) for line in first.lines] == [5, 5]
    assert [len(line.get_xdata()) for line in whole.lines] == [20, 20]
    assert {"20.0 %", "80.0 %"} <= set(words(figure).splitlines())
    drawn(initialisation_study({"one": (epochs[:1], np.array([np.nan])), "two": (epochs[:1], np.array([0.1]))}))


def test_percentages_tell_good_models_apart():
    assert [percent(share) for share in (0, 0.5, 0.9927, 1, np.nan)] == ["0 %", "50.0 %", "99.27 %", "100 %", "–"]
    assert len(shortened("x" * 100, 30)) <= 30
    assert shortened("short", 30) == "short"


def test_threads_draw_the_same():
    images, labels, probabilities = classified()
    draw = [
        lambda: png(learning_curves(history(), "run")),
        lambda: png(predictions(images, labels, probabilities, numbers())),
        lambda: png(reliability_diagram(probabilities, labels)),
    ] * 4
    alone = [function() for function in draw]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda function: function(), draw)) == alone


def test_matplotlibs_settings_stay_as_they_were():
    before = dict(mpl.rcParams)
    png(learning_curves(history(), "run"))
    assert dict(mpl.rcParams) == before


def test_text_is_no_formula_and_stays_where_matplotlib_puts_it():
    def ink(text, **position):
        figure = new_figure(2)
        figure.text(0.5, 0.5, text, color="black", **position)
        rows, columns = np.nonzero((drawn(figure) < 100).any(axis=2))
        return columns.min(), columns.max(), rows.min(), rows.max()

    left, right, top, bottom = ink("$x$ \\frac", ha="left", va="bottom")
    assert right - left > 55  # nine letters, not one
    assert (abs(left - 451) < 5, abs(bottom - 110) < 5) == (True, True)
    _, right, top, _ = ink("$x$ \\frac", ha="right", va="top")
    assert (abs(right - 451) < 5, abs(top - 110) < 5) == (True, True)
    turned = ink("turned", rotation=90)
    assert turned[1] - turned[0] < turned[3] - turned[2]
