"""What a logged model does with images in any form, with a network that needs no TensorFlow."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.temperature import tempered
from mnist_models.images import decode
from mnist_models.images.fit import Fit, fitted, fitted_file
from mnist_models.images.prepare import Preparation
from mnist_models.serving import image_content
from mnist_models.serving.facts import ServingFacts
from mnist_models.serving.served_model import COLUMNS, ServedModel
from tasks.serving.loader import ImageModel

SIZE = (8, 6)
NAMES = ("dark", "middle", "light")
FACTS = ServingFacts(Preparation(SIZE, True, None, False, fit="letterbox"), NAMES, 1.5)
COLOURED = ServingFacts(Preparation(SIZE, True, None, False, channels=3, fit="letterbox"), NAMES, 1.0)


def network(images):
    """How near the mean is to that of each class."""
    assert images.dtype == np.uint8
    mean = images.reshape(len(images), -1).mean(axis=1, dtype=np.float32)
    scores = np.exp(-np.abs(mean[:, None] - np.float32([0, 128, 255])) / 64)
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


def served(facts=FACTS, read_paths=False, network=network):
    return ServedModel(facts, network, read_paths)


def plain(grey, size=SIZE):
    return np.full(size, grey, np.uint8)


def encoded(image, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def as_text(content):
    return base64.b64encode(content).decode()


def files(*contents):
    return np.array(contents, dtype=object)


def test_arrays_give_label_name_and_probability():
    images = np.stack([plain(0), plain(255), plain(120)])
    rows = served().answers(images)
    assert [tuple(row) for row in rows] == [COLUMNS] * 3
    assert [(row["label"], row["name"]) for row in rows] == [(0, "dark"), (2, "light"), (1, "middle")]
    expected = tempered(network(images), 1.5)
    np.testing.assert_allclose([row["probabilities"] for row in rows], expected)
    assert [row["probability"] for row in rows] == [max(row["probabilities"]) for row in rows]
    assert {row["problem"] for row in rows} == {None}


@pytest.mark.parametrize("kind", ["bytes", "base64", "data URI", "lines", "path", "mapping", "one by one"])
def test_a_file_is_prepared_and_answered_however_it_comes(tmp_path, kind):
    image = np.random.default_rng(0).integers(0, 256, (90, 40), dtype=np.uint8)
    content = encoded(image)
    file = tmp_path / "a.png"
    file.write_bytes(content)
    text = as_text(content)
    forms = {
        "bytes": files(content),
        "base64": files(text),
        "data URI": files(f"data:image/png;base64,{text}"),
        "lines": files("\n".join(text[start : start + 76] for start in range(0, len(text), 76)) + "\n"),
        "path": files(file),
        "mapping": {"image": files(text)},
        "one by one": files(np.array(text, dtype=object)),  # as MLflow makes them of {"instances": [{"image": …}]}
    }
    rows = served().answers(forms[kind])
    prepared = fitted(Image.fromarray(image), Fit(SIZE, 1))
    assert rows == served().answers(prepared[None])


def test_a_jpeg_is_decoded_as_it_was_for_training():
    noise = np.random.default_rng(0).integers(0, 256, (80, 60), dtype=np.uint8)
    content = encoded(np.asarray(Image.fromarray(noise).resize((1200, 1600))), "JPEG")
    seen = []
    served(network=lambda images: seen.append(images) or network(images)).answers(files(content))
    np.testing.assert_array_equal(seen[0][0], fitted_file(io.BytesIO(content), "a.jpg", Fit(SIZE, 1)))


def test_photos_get_the_preparation_that_was_measured():
    digit = np.full((100, 80), 250, np.uint8)
    digit[20:70, 30:50] = 10
    seen = []
    facts = ServingFacts(Preparation((28, 28), True, 20, True), NAMES, 1.0)
    served(facts, network=lambda images: seen.append(images) or network(images)).answers(files(encoded(digit)))
    ((image,),) = seen
    lit = np.argwhere(image > 128)
    assert (np.ptp(lit, axis=0) + 1).tolist() == [20, 8]


def test_a_colour_model_takes_files_and_arrays():
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    assert served(COLOURED).answers(files(encoded(image))) == served(COLOURED).answers(image[None])
    with pytest.raises(InvalidInput, match=r"shape \[n, 8, 6, 3\], but have \[1, 8, 6\]"):
        served(COLOURED).answers(plain(0)[None])


def test_a_file_that_cannot_be_used_has_its_problem_told_and_the_others_their_answers():
    good = encoded(plain(255))
    noise = encoded(np.random.default_rng(0).integers(0, 256, (90, 90), dtype=np.uint8))
    rows = served().answers(files(good, noise[: len(noise) // 2], as_text(good), b"", "no base64!"))
    assert [row["label"] for row in rows] == [2, None, 2, None, None]
    assert rows[1]["problem"].startswith("the file is damaged")
    assert "is not an image" in rows[3]["problem"]
    assert "must be an image file in base64" in rows[4]["problem"]
    assert {tuple(row) for row in rows} == {COLUMNS}
    assert rows[1]["probabilities"] is None


def test_a_text_is_read_as_a_path_only_if_the_model_was_loaded_for_that(tmp_path):
    file = tmp_path / "secret.png"
    file.write_bytes(encoded(plain(255)))
    texts = files(str(file), str(tmp_path / "none.png"))
    assert [row["label"] for row in served().answers(texts)] == [None, None]
    assert {row["problem"] for row in served().answers(texts)} == {
        "the text must be an image file in base64; as a path it is read only where the model is loaded for that."
    }  # the same for both: what is there is not told either
    found, missing = served(read_paths=True).answers(texts)
    assert found["name"] == "light"
    assert missing["problem"].startswith("none.png does not exist")


def test_the_limits_of_files_hold(monkeypatch):
    content = encoded(np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8))
    monkeypatch.setattr(decode, "MOST_PIXELS", 899)
    (row,) = served().answers(files(content))
    assert "million pixels" in row["problem"]
    monkeypatch.setattr(image_content, "MOST_BYTES", len(content) - 1)
    (row,) = served().answers(files(content))
    assert "is larger than" in row["problem"]
    monkeypatch.setattr(image_content, "LONGEST_TEXT", 100)
    monkeypatch.setattr(image_content, "MOST_BYTES", 10**6)
    (row,) = served().answers(files(as_text(content)))
    assert "is larger than" in row["problem"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (plain(0), r"shape \[n, 8, 6\], but have \[8, 6\]"),
        (np.zeros((2, 6, 8)), r"shape \[n, 8, 6\], but have \[2, 6, 8\]"),
        (np.full((1, *SIZE), 0.5), "whole numbers from 0 to 255, but some are not"),
        (np.full((1, *SIZE), -1), "whole numbers from 0 to 255"),
        (np.full((1, *SIZE), 256), "whole numbers from 0 to 255"),
        (np.full((1, *SIZE), np.nan), "whole numbers from 0 to 255"),
        (np.full((1, *SIZE), "a", dtype=object), "some are no numbers"),
        (np.full((1, *SIZE), {}, dtype=object), "some are no numbers"),
        (files(b"", None), "number 1 must be an image file's bytes, or these in base64, not NoneType"),
        (files(1, 2), "number 0 must be .* not int"),
        (files([[1, 2], [3]], [[1]]), "number 0 must be .* not list"),
        (np.array("abc", dtype=object), "give a batch"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        served().answers(given)


def test_numbers_that_came_as_json_are_images():
    images = np.array([plain(255).tolist()], dtype=object)
    assert served().answers(images) == served().answers(plain(255)[None])


def test_an_empty_batch_has_no_answers():
    assert served().answers(files()) == []
    assert served().answers(np.zeros((0, *SIZE), np.uint8)) == []


def test_many_images_go_through_the_network_in_parts_and_stay_in_order():
    images = np.tile(np.stack([plain(0), plain(255), plain(128)]), (401, 1, 1))
    sizes = []
    rows = served(network=lambda part: sizes.append(len(part)) or network(part)).answers(images)
    assert [row["label"] for row in rows] == [0, 2, 1] * 401
    assert sum(sizes) == len(images)
    assert max(sizes) <= 500


def test_what_a_broken_network_gives_is_no_answer():
    (row,) = served(network=lambda images: np.full((len(images), 3), np.nan, np.float32)).answers(plain(0)[None])
    assert row["label"] is None
    assert "no probabilities" in row["problem"]


def test_facts_survive_as_json():
    facts = ServingFacts(FACTS.preparation, ("Müll", "b"), 0.7)
    assert ServingFacts.from_json(facts.to_json()) == facts


def test_mlflow_gets_a_table_and_a_refusal_of_its_own():
    from mlflow.exceptions import MlflowException

    model = ImageModel(served())
    whole = model.predict(np.stack([plain(0), plain(255)]))
    assert (list(whole.columns), whole.label.dtype, whole.label.tolist()) == (list(COLUMNS), np.int64, [0, 2])
    partly = model.predict(files(encoded(plain(255)), b"x"))
    json.dumps(partly.to_dict(orient="records"), allow_nan=False)
    assert partly.label.tolist() == [2, None]
    assert model.predict(files()).columns.tolist() == list(COLUMNS)
    with pytest.raises(MlflowException, match="give a batch") as refused:
        model.predict(np.array(1))
    assert refused.value.get_http_status_code() == 400
