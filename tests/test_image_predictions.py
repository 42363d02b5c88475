"""The rows that a prediction comes to, with a champion that needs no network."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from answering import CERTAIN, TORN, champion, version
from made_images import write_class_folder

from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput
from mnist_models.images.files import image_files
from mnist_models.images.prepare import preparation_of
from tasks.progress.tally import Tally
from tasks.supervision import image_predictions
from tasks.supervision.answer import doubt
from tasks.supervision.image_predictions import predict_image_files


@pytest.fixture
def rows_of(flow_run, monkeypatch):
    """What becomes of files with a version."""

    def predicted(registered, files):
        with Tally(flow_run.display, flow_run.prefect, len(files)) as tally:
            return list(predict_image_files(flow_run, champion(monkeypatch, registered), files, tally))

    return predicted


def test_a_file_that_cannot_be_used_does_not_stop_the_others(pictures, answers, rows_of):
    answers.said += [CERTAIN, TORN]
    files = ["one.png", "gone.png", "blank.png", "two.png", "text.png"]
    rows = rows_of(version(temperature="1.0"), files)
    assert [row["file"] for row in rows] == files
    assert [row["label"] for row in rows] == [1, None, None, 1, None]
    problems = [row["problem"] for row in rows]
    assert [problem and problem.split(" ")[0].rstrip(":") for problem in problems] == [
        None, "gone.png", "blank.png", None, "text.png",
    ]  # fmt: skip
    assert len({tuple(row) for row in rows}) == 1  # the same keys
    first = rows[0]
    assert (first["runner_up"], first["unsure"], first["several_marks"]) == (2, False, False)
    assert first["probability"] == pytest.approx(0.97, abs=1e-3)
    assert first["probabilities"] == pytest.approx(CERTAIN, abs=1e-3)
    assert (first["model"], first["version"], first["recipe"]) == ("digits", "7", "small")
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_doubts_are_told(pictures, answers, rows_of):
    answers.said += [CERTAIN, TORN, CERTAIN, TORN]
    files = ["one.png", "one.png", "two.png", "two.png"]
    rows = rows_of(version(), files)
    assert [doubt(row) for row in rows] == ["", "unsure", "several marks", "unsure, several marks"]
    assert {row["unsure_below"] for row in rows} == {0.95}


@pytest.mark.parametrize("tag", [None, "2.5", "0", "-1", "nan", "x"])
def test_probabilities_are_calibrated_as_the_version_says(pictures, answers, rows_of, tag):
    answers.said.append(CERTAIN)
    registered = version() if tag is None else version(temperature=tag)
    (row,) = rows_of(registered, ["one.png"])
    assert row["label"] == 1
    assert row["unsure"] is (tag == "2.5")
    assert row["temperature"] == (2.5 if tag == "2.5" else None)


def test_a_model_that_has_diverged_is_unsure(pictures, answers, rows_of):
    answers.said.append([np.nan] * 3)
    (row,) = rows_of(version(), ["one.png"])
    assert row["unsure"] is True


def test_many_files_are_read_and_predicted_in_parts_by_one_model(pictures, answers, rows_of, monkeypatch):
    monkeypatch.setattr(image_predictions, "MOST_AT_ONCE", 3)
    answers.said += [CERTAIN] * 6
    files = ["one.png", "one.png", "gone.png", "one.png", "one.png", "one.png", "one.png"]
    rows = rows_of(version(), files)
    assert [row["label"] for row in rows] == [1, 1, None, 1, 1, 1, 1]
    assert [len(images) for images in answers.asked] == [2, 3, 1]
    assert len(answers.opened) == 1


def test_what_takes_long_is_answered_in_between(pictures, answers, rows_of, monkeypatch):
    monkeypatch.setattr(image_predictions, "PORTION_SECONDS", 0.0)
    answers.said += [CERTAIN] * 3
    assert len(rows_of(version(), ["one.png"] * 3)) == 3
    assert [len(images) for images in answers.asked] == [1, 1, 1]


def test_large_images_are_fewer_at_a_time(pictures, answers, rows_of, monkeypatch):
    monkeypatch.setattr(image_predictions, "MOST_BYTES", 2 * 28 * 28 + 1)
    answers.said += [CERTAIN] * 3
    rows_of(version(), ["one.png"] * 3)
    assert [len(images) for images in answers.asked] == [2, 1]


def test_classes_are_told_by_their_names_the_best_three_of_them(pictures, answers, rows_of):
    answers.said.append([0.1, 0.05, 0.85])
    (row,) = rows_of(version(temperature="1.0"), ["one.png"])
    assert (row["label"], row["name"], row["runner_up"], row["runner_up_name"]) == (2, "Kätzchen", 0, "ape")
    assert row["top_3"] == [
        {"label": 2, "name": "Kätzchen", "probability": 0.85},
        {"label": 0, "name": "ape", "probability": 0.1},
        {"label": 1, "name": "bee", "probability": 0.05},
    ]
    answers.said.append([0.1, 0.9])
    (row,) = rows_of(version(temperature="1.0"), ["one.png"])
    assert [each["name"] for each in row["top_3"]] == ["bee", "ape"]


@pytest.mark.parametrize("tag", [None, "", "{}", "[1, 2]", '["ape"]', "[[]]"])
def test_classes_without_names_have_their_numbers(pictures, answers, rows_of, tag):
    registered = version(class_names=tag)
    if tag is None:
        del registered.tags["class_names"]
    answers.said.append(CERTAIN)
    (row,) = rows_of(registered, ["one.png"])
    assert [each["name"] for each in row["top_3"]] == ["1", "2", "ape" if tag and "ape" in tag else "0"]


def test_names_that_are_no_text_are_escaped(pictures, answers, rows_of):
    answers.said.append(CERTAIN)
    (row,) = rows_of(version(class_names=json.dumps(["a", "\udce9", "b"])), ["one.png"])
    assert row["name"] == "\\xe9"


@pytest.mark.slow
def test_a_champion_that_reads_colours_gets_them_as_in_training(tmp_path, answers, rows_of):
    folder = write_class_folder(tmp_path / "set", each=12)
    data = read_data(folder)
    preparation = preparation_of(data.x_train, data.facts.fit).to_json()
    files = image_files([str(folder)])
    answers.said += [CERTAIN] * len(files)
    rows = rows_of(version(preparation=preparation), files)
    assert [row["problem"] for row in rows] == [None] * len(files)
    asked = {image.tobytes() for images in answers.asked for image in images}
    assert asked == {image.tobytes() for image in np.concatenate([data.x_train, data.x_test])}
    assert answers.asked[0].shape[1:] == (32, 32, 3)


def test_the_log_is_not_flooded(pictures, answers, rows_of, monkeypatch, caplog):
    monkeypatch.setattr(image_predictions, "MOST_WARNINGS", 3)
    assert len(rows_of(version(), ["gone.png"] * 9)) == 9
    assert len(caplog.records) == 3


def test_where_nothing_can_be_used_nothing_is_asked(pictures, answers, rows_of):
    rows = rows_of(version(), ["gone.png", "blank.png"])
    assert all(row["problem"] for row in rows)
    assert answers.asked == []


def test_a_name_that_is_no_text_is_escaped(pictures, answers, rows_of):
    name = os.fsdecode(b"caf\xe9.png")
    (pictures / "one.png").rename(pictures / name)
    answers.said.append(CERTAIN)
    rows = rows_of(version(), [name, os.fsdecode(b"\xe9.png")])
    assert [row["file"] for row in rows] == ["caf\\xe9.png", "\\xe9.png"]
    assert rows[1]["problem"].startswith("\\xe9.png does not exist")
    json.dumps(rows, ensure_ascii=False).encode()


def test_without_a_usable_champion_there_is_one_sentence(monkeypatch):
    with pytest.raises(InvalidInput, match="no version has the alias 'champion' yet"):
        champion(monkeypatch, None)
    with pytest.raises(InvalidInput, match="was not registered by this pipeline"):
        champion(monkeypatch, SimpleNamespace(name="digits", version="7", tags={}))
