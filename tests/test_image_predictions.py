"""The rows that a prediction comes to, with a champion that needs no network."""

import csv
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from test_photos import MNIST, drawn

from mnist_models.errors import InvalidInput
from mnist_models.trainer_pool.cancellation import Cancellation
from tasks.registry.image_champion import image_champion
from tasks.supervision import image_predictions
from tasks.supervision.image_predictions import doubt, predict_image_files

CONTEXT = SimpleNamespace(cancellation=Cancellation())
CERTAIN, TORN = [0.01, 0.97, 0.02], [0.3, 0.6, 0.1]


def version(**tags):
    tags = {"preparation": MNIST.to_json(), "recipe": "small"} | tags
    return SimpleNamespace(name="digits", version="7", tags=tags)


def champion(monkeypatch, registered):
    monkeypatch.setattr("tasks.registry.image_champion.champion_version", lambda _tracker: registered)
    settings = SimpleNamespace(registered_model="digits", alias="champion")
    return image_champion(SimpleNamespace(settings=settings))


@pytest.fixture
def answers(monkeypatch):
    """What the model says to each image; and what it was asked."""
    said, asked = [], []

    def predict(context, registered, images):
        asked.append(images)
        return np.array([said.pop(0) for _ in images], np.float32)

    monkeypatch.setattr(image_predictions, "predict_images", predict)
    return SimpleNamespace(said=said, asked=asked)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, two = (np.asarray(drawn(number)) for number in (0, 4))
    for name, picture in (("one.png", 255 - one), ("two.png", 255 - np.hstack([one, two])), ("blank.png", one * 0)):
        Image.fromarray(picture).save(name)
    (tmp_path / "text.png").write_text("no image")
    return tmp_path


def test_a_file_that_cannot_be_used_does_not_stop_the_others(folder, answers, monkeypatch):
    answers.said += [CERTAIN, TORN]
    files = ["one.png", "gone.png", "blank.png", "two.png", "text.png"]
    rows = predict_image_files(CONTEXT, champion(monkeypatch, version(temperature="1.0")), files)
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


def test_doubts_are_told(folder, answers, monkeypatch):
    answers.said += [CERTAIN, TORN, CERTAIN, TORN]
    files = ["one.png", "one.png", "two.png", "two.png"]
    rows = predict_image_files(CONTEXT, champion(monkeypatch, version()), files)
    assert [doubt(row) for row in rows] == ["", "unsure", "several marks", "unsure, several marks"]
    assert {row["unsure_below"] for row in rows} == {0.95}


@pytest.mark.parametrize("tag", [None, "2.5", "0", "-1", "nan", "x"])
def test_probabilities_are_calibrated_as_the_version_says(folder, answers, monkeypatch, tag):
    answers.said.append(CERTAIN)
    registered = version() if tag is None else version(temperature=tag)
    (row,) = predict_image_files(CONTEXT, champion(monkeypatch, registered), ["one.png"])
    assert row["label"] == 1
    assert row["unsure"] is (tag == "2.5")
    assert row["temperature"] == (2.5 if tag == "2.5" else None)


def test_a_model_that_has_diverged_is_unsure(folder, answers, monkeypatch):
    answers.said.append([np.nan] * 3)
    (row,) = predict_image_files(CONTEXT, champion(monkeypatch, version()), ["one.png"])
    assert row["unsure"] is True


def test_many_files_are_read_and_predicted_in_parts(folder, answers, monkeypatch):
    monkeypatch.setattr(image_predictions, "AT_ONCE", 3)
    answers.said += [CERTAIN] * 6
    files = ["one.png", "one.png", "gone.png", "one.png", "one.png", "one.png", "one.png"]
    rows = predict_image_files(CONTEXT, champion(monkeypatch, version()), files)
    assert [row["label"] for row in rows] == [1, 1, None, 1, 1, 1, 1]
    assert [len(images) for images in answers.asked] == [2, 3, 1]


def test_where_nothing_can_be_used_nothing_is_asked(folder, answers, monkeypatch):
    rows = predict_image_files(CONTEXT, champion(monkeypatch, version()), ["gone.png", "blank.png"])
    assert all(row["problem"] for row in rows)
    assert answers.asked == []


def test_a_name_that_is_no_text_is_escaped(folder, answers, monkeypatch):
    name = os.fsdecode(b"caf\xe9.png")
    (folder / "one.png").rename(folder / name)
    answers.said.append(CERTAIN)
    rows = predict_image_files(CONTEXT, champion(monkeypatch, version()), [name, os.fsdecode(b"\xe9.png")])
    assert [row["file"] for row in rows] == ["caf\\xe9.png", "\\xe9.png"]
    assert rows[1]["problem"].startswith("\\xe9.png does not exist")
    json.dumps(rows, ensure_ascii=False).encode()


def test_without_a_usable_champion_there_is_one_sentence(monkeypatch):
    with pytest.raises(InvalidInput, match="no version has the alias 'champion' yet"):
        champion(monkeypatch, None)
    with pytest.raises(InvalidInput, match="was not registered by this pipeline"):
        champion(monkeypatch, SimpleNamespace(name="digits", version="7", tags={}))


def test_a_folder_becomes_a_table_with_doubts_and_problems(folder, answers, monkeypatch):
    from tasks import predict

    name = os.fsdecode(b"caf\xe9.png")
    (folder / "one.png").rename(folder / name)
    answers.said += [CERTAIN, TORN]
    serving, shown, said = champion(monkeypatch, version()), [], []
    monkeypatch.setattr(predict, "image_champion", lambda _tracker: serving)
    monkeypatch.setattr(predict, "create_table_artifact", lambda rows, **_: shown.extend(rows))
    context = SimpleNamespace(cancellation=Cancellation(), tracker=None, display=SimpleNamespace(say=said.append))
    files, output = predict.check_folder(str(folder), "")
    result = predict.predict_folder.fn(context, files, output)
    assert (result["predicted"], result["unusable"]) == (2, 2)
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    rows = {row["file"]: row for row in csv.DictReader(output.read_text().splitlines())}
    assert set(rows) == {"blank.png", "caf\\xe9.png", "text.png", "two.png"}
    certain, torn, blank = rows["caf\\xe9.png"], rows["two.png"], rows["blank.png"]
    assert (certain["label"], certain["unsure"], certain["several_marks"]) == ("1", "False", "False")
    assert (torn["label"], torn["unsure"], torn["several_marks"]) == ("1", "True", "True")
    assert (blank["label"], blank["probability"], blank["unsure"]) == ("", "", "")
    assert "it is blank" in blank["problem"]
    assert "2 of 4 images predicted by version 7" in said[0]
