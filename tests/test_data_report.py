"""A look at data before anything is trained on them: the numbers, the words, the pages and the pictures."""

import json
import os
import re
from dataclasses import replace
from io import BytesIO
from unittest import mock

import numpy as np
import pytest
from commands import mnist_here
from made_data import make_dataset, write_npz
from made_images import CLASSES, draw, write_class_folder
from PIL import Image

from mnist_models.data.assembly.validate import checked
from mnist_models.data.dataset import Dataset, Facts
from mnist_models.data.report import describe as describing
from mnist_models.data.report.describe import compared, describe
from mnist_models.data.report.files import remove_sheets, sheet_names, written_report
from mnist_models.data.report.markdown import to_markdown
from mnist_models.data.report.report import DataReport
from mnist_models.data.report.words import facts, heading, unreadable, warnings
from mnist_models.figures.data_page import data_page
from mnist_models.figures.data_report import LEAST, MOST_ON_PAGE, write_report
from mnist_models.figures.plots.contact_sheet import MOST, Choice, as_jpeg, as_png, sheet, titled_sheet


def dataset_of(x_train, y_train, x_test, y_test, **known):
    labels = np.array(y_train, np.int32), np.array(y_test, np.int32)
    return checked(Dataset("photos", "a/photos", x_train, labels[0], x_test, labels[1], facts=Facts(**known)))


def smooth(count, seed=0, side=32):
    """Pictures in colour that differ from one another, and in which a little noise is hardly seen."""
    small = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.BICUBIC)) for each in small]
    )


def again(images, seed=1):
    """The same pictures, as if they had been saved once more."""
    noise = np.random.default_rng(seed).normal(0, 3, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def doubtful():
    """12 training images: 2 equal copies, 1 near copy, 1 contradiction; 4 test images: 1 equal leak, 1 near leak."""
    pictures = smooth(12)
    train = np.concatenate([pictures[:9], pictures[[0, 1]], again(pictures[[2]])])
    test = np.concatenate([pictures[9:11], pictures[[3]], again(pictures[[4]])])
    known = {"class_names": ("cat", "dog"), "validation": 3, "warnings": ("something is odd",), "left_alone": ("2 x",)}
    labels = [0, 1] * 4 + [0] + [0, 0] + [0]  # picture 1 is a dog, and its copy a cat
    return dataset_of(train, labels, test, [0, 0, 1, 0], **known)


def test_the_numbers(doubtful):
    report = compared(describe(doubtful, "mnist train"), doubtful)
    assert [tuple(each) for each in report.classes] == [("cat", 5, 3, 3), ("dog", 4, 0, 1)]
    assert tuple(report.totals) == ("all 2", 9, 3, 4)
    assert report.imbalance == 2.0
    assert tuple(report.equal) == (2, 0, 1)
    assert tuple(report.near) == (1, 0, 1)
    assert report.contradicting == 1
    assert (report.height, report.width, report.channels) == (32, 32, 3)
    assert (report.digest, report.command) == (doubtful.digest, "mnist train")
    assert report.warnings == (
        "something is odd", "1 of 4 test images nearly equal a training image: the accuracy will look too good",
    )  # fmt: skip


def test_nothing_is_compared_at_once_nor_in_a_set_that_is_too_large(doubtful, monkeypatch):
    monkeypatch.setattr(describing, "near_duplicates", lambda _: pytest.fail("it compares"))
    quick = describe(doubtful)
    assert quick.near is None
    assert quick.warnings == ("something is odd",)
    monkeypatch.setattr(describing, "MOST_COMPARED", 15)
    assert compared(quick, doubtful) == quick


@pytest.mark.parametrize("compare", [True, False])
def test_it_comes_back_from_json(doubtful, compare):
    report = describe(doubtful)
    report = compared(report, doubtful) if compare else report
    assert DataReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_the_words(doubtful):
    report = replace(compared(describe(doubtful), doubtful), unreadable=tuple(f"{n}.png is empty." for n in range(7)))
    told = dict(facts(report))
    assert heading(report) == "photos: 16 images of 32×32 in colour, 2 classes"
    assert told["images"] == "9 for training, 3 for validation, 4 for the test"
    assert told["balance"] == "4 to 8 training images in a class, 1 : 2.0"
    assert told["equal images"] == "2 in training, 0 in the test, 1 of the test in training, too"
    assert told["labels"] == "1 training image has another label than one that is equal"
    assert told["unreadable"] == "7 files"
    assert told["digest"] == doubtful.digest
    assert warnings(report)[0] == "Something is odd."
    assert unreadable(report)[-1] == "… and 2 more, which report.json lists."
    even = dict(facts(describe(make_dataset(classes=3, train=120))))
    assert even["balance"] == "every class has 40 training images"
    assert (even["equal images"], even["nearly equal"]) == ("none", "not looked for")


def test_names_of_others_are_no_markup(doubtful):
    odd = replace(doubtful, facts=Facts(class_names=("<script>alert(1)</script>", "a|b\n# c"), warnings=("<i>x</i>",)))
    report = describe(odd, "mnist train --data '<b>'")
    page = data_page(report, [as_png(sheet(each, 16, 8)) for each in Choice(odd)])
    assert "<script>" not in page
    assert "<i>x" not in page
    assert "&lt;b&gt;" in page
    lines = to_markdown(report).splitlines()
    assert any(line.startswith("| a\\|b\\\\n# c | ") for line in lines)
    assert [line for line in lines if line.startswith("#")] == [f"# {heading(report)}"]


def test_a_sheet_shows_training_images_and_framed_those_for_the_test():
    """Of a class all images have one level of grey, 10 more in the test part."""
    levels = np.arange(200) % 2 * 100 + 50
    images = np.broadcast_to(levels[:, None, None], (200, 16, 16)).astype(np.uint8)
    data = dataset_of(images, np.arange(200) % 2, images[:20] + 10, np.arange(20) % 2)
    for label, chosen in enumerate(Choice(data)):
        assert (len(chosen.train), len(chosen.test)) == (32, 8)
        assert set(np.unique(chosen.train)) == {50 + 100 * label}
        page = np.asarray(sheet(chosen, side=32, columns=8))
        assert page.shape == (5 * 38 + 6, 8 * 38 + 6, 3)
        assert (page[20, 20] == 50 + 100 * label).all()
        assert (page[4 * 38 + 20, 20] == 60 + 100 * label).all()
        blue = (page[..., 2].astype(int) - page[..., 0] > 100).any(axis=1)  # rows with a frame
        assert not blue[: 4 * 38].any()
        assert blue[4 * 38 + 4 :].any()
        titled = titled_sheet(chosen, describe(data).classes[label])
        assert titled.height > page.shape[0]


def test_a_class_without_test_images_and_one_with_few():
    images = smooth(6)
    data = dataset_of(images[:5], [0, 0, 0, 1, 1], images[5:], [0])
    first, second = Choice(data)
    assert (len(first.train), len(first.test)) == (3, 1)
    assert (len(second.train), len(second.test)) == (2, 0)
    for chosen, counts in zip((first, second), describe(data).classes, strict=True):
        assert titled_sheet(chosen, counts).width > 0


def test_the_images_of_a_sheet_come_from_all_over_the_set():
    images = np.broadcast_to((np.arange(200) // 2)[:, None, None], (200, 16, 16)).astype(np.uint8)
    data = dataset_of(images, np.arange(200) % 2, images[:2], [0, 1])
    (chosen, _) = Choice(data)
    assert len(chosen.train) + len(chosen.test) == MOST
    assert (chosen.train.min(), chosen.train.max()) == (0, 99)


def test_large_images_are_made_smaller_and_keep_their_form():
    images = np.zeros((2, 224, 100, 3), np.uint8)
    data = dataset_of(np.concatenate([images, images]), [0, 0, 1, 1], images, [0, 1])
    (chosen, _) = Choice(data)
    assert sheet(chosen, side=56, columns=8).size == (3 * (25 + 6) + 6, 56 + 6 + 6)


def test_the_files(doubtful, tmp_path):
    report = describe(doubtful, "mnist train")
    write_report(report, doubtful, tmp_path)
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()) == [
        "classes/0-cat.png", "classes/1-dog.png", "report.html", "report.json", "report.md",
    ]  # fmt: skip
    write_report(report, doubtful, tmp_path / "few", most_sheets=1)
    assert [file.name for file in (tmp_path / "few" / "classes").iterdir()] == ["0-cat.png"]
    assert written_report(report, tmp_path) == report
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "http" not in page
    assert "mnist train" in (tmp_path / "report.md").read_text()


def test_a_report_is_known_by_all_that_it_says(doubtful, tmp_path):
    quick = describe(doubtful, "mnist train")
    assert written_report(quick, tmp_path) is None
    whole = compared(quick, doubtful)
    write_report(whole, doubtful, tmp_path)
    assert written_report(quick, tmp_path) == whole
    assert written_report(replace(quick, command="mnist train --crop"), tmp_path) is None
    assert written_report(replace(quick, warnings=("another",)), tmp_path) is None
    (tmp_path / "report.json").write_text('{"cut')
    assert written_report(quick, tmp_path) is None


def test_the_sheets_of_an_earlier_report_are_removed_and_nothing_else(doubtful, tmp_path):
    write_report(describe(doubtful), doubtful, tmp_path)
    (tmp_path / "classes" / "mine.png").write_text("x")
    remove_sheets(tmp_path, ["1-dog.png"])
    assert sorted(file.name for file in (tmp_path / "classes").iterdir()) == ["1-dog.png", "mine.png"]


def test_names_of_sheets_are_what_any_disk_takes(doubtful):
    names = ("a/b", "../..", "\u0431", "x" * 300, "3", "CON")
    classes = tuple(describe(doubtful).classes[0]._replace(name=name) for name in names)
    assert sheet_names(replace(describe(doubtful), classes=classes)) == [
        "0-a-b.png", "1.png", "2.png", f"3-{'x' * 40}.png", "4-3.png", "5-CON.png",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_thousand_classes_are_one_page_of_bounded_size(tmp_path):
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(1000), 12)
    images = generator.integers(0, 256, (12_000, 16, 16), dtype=np.uint8)
    data = dataset_of(images, labels, images[:1000], np.arange(1000))
    few = min(MOST, max(LEAST, MOST_ON_PAGE // 1000))
    assert few == LEAST
    report = describe(data)
    page = data_page(report, [as_png(sheet(each, 56, 8)) for each in Choice(data, few)])
    assert page.count("<section>") == 1000
    assert len(page) < 10_000_000
    assert len(sheet_names(report)) == len(set(sheet_names(report))) == 1000


@pytest.mark.parametrize("encode", [as_png, as_jpeg])
def test_the_pictures_are_files_of_their_kind(doubtful, encode):
    picture = sheet(Choice(doubtful).of(0), 32, 8)
    with Image.open(BytesIO(encode(picture))) as read:
        assert read.size == picture.size


# --- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def shapes(home):
    folder = write_class_folder(home / "my shapes", each=30)
    (folder / CLASSES[0] / "odd.png").write_text("x")
    return folder


@pytest.mark.slow
def test_the_command_shows_all_and_ends_with_what_trains_on_it(home, shapes):
    with mock.patch.dict(os.environ, COLUMNS="80"):
        result = mnist_here("data", "my shapes", "--image-size", "24", "--crop")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"  \S*mnist train --data 'my shapes' --image-size 24 --crop", lines[-1])
    assert max(len(line) for line in lines[:-1]) <= 80
    for words in (
        "90 images of 24×24 in colour, 3 classes",
        "circle",
        "Warning: 1 of 91 image files",
        "circle/odd.png",
    ):
        assert words in result.stdout
    (report,) = (home / "state" / "reports").iterdir()
    assert str((report / "report.html").relative_to(home)) in result.stdout
    assert len([*(report / "classes").iterdir()]) == 3


@pytest.mark.slow
def test_the_second_time_nothing_is_looked_at_again(home, shapes, monkeypatch):
    first = mnist_here("data", "my shapes", "--json")
    monkeypatch.setattr("mnist_models.figures.data_report.write_report", lambda *_: pytest.fail("it writes"))
    monkeypatch.setattr("flows.cli.data.report.compared", lambda *_: pytest.fail("it compares"))
    again = mnist_here("data", "my shapes", "--json")
    assert (again.returncode, again.stdout) == (0, first.stdout)
    told = json.loads(again.stdout)
    assert [each["name"] for each in told["classes"]] == list(CLASSES)
    assert told["near"] is not None


@pytest.mark.slow
def test_a_folder_of_ones_own_and_another_report_in_it(home, shapes):
    assert mnist_here("data", "my shapes", "--output", "out").returncode == 0
    draw("square", 99).save(shapes / "square" / "new.png")
    (shapes / "circle").rename(shapes / "ring")
    assert mnist_here("data", "my shapes", "--output", "out").returncode == 0
    assert sorted(file.name for file in (home / "out" / "classes").iterdir()) == [
        "0-ring.png", "1-square.png", "2-triangle.png",
    ]  # fmt: skip
    assert not (home / "state" / "reports").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "data: nowhere does not exist"),
        (["a", "b"], "data: give one path"),
        (["my shapes", "--image-size", "7"], "image_size: 7 is not allowed"),
        (["my shapes", "--output", "mlflow.yml"], "output: mlflow.yml is a file"),
        (["my shapes", "--output", "my shapes/report"], "output: my shapes/report lies in the data"),
        (["my shapes", "--output", "."], "output: . holds other files"),
        (["one"], "data: one"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(home, shapes, arguments, words):
    (home / "one" / "cats").mkdir(parents=True)
    draw("circle", 1).save(home / "one" / "cats" / "1.png")
    before = sorted(home.rglob("*"))
    result = mnist_here("data", *arguments)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert words in result.stderr
    assert sorted(home.rglob("*")) == before


def test_many_classes_are_summed_up_on_the_screen(home):
    write_npz(make_dataset(classes=40, train=120, test=80), home / "many.npz")
    result = mnist_here("data", "many.npz")
    assert "… and 10 more" in result.stdout
    assert "Warning: Few training images of 0 (3)" in " ".join(result.stdout.split())
