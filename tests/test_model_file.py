"""Model files that may come from anywhere: refused before anything in them is run or unpacked."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_models.errors import InvalidInput
from mnist_models.trainer import model_file
from mnist_models.trainer.model_file import load_model, refuse_code


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The members of a sound model's file."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path, *words):
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(InvalidInput) as refusal:
        load_model(path)
    text = str(refusal.value)
    assert text.startswith("model: ")
    assert text.endswith(".")
    assert "\n" not in text
    for word in words:
        assert word in text
    assert sorted(path.parent.rglob("*")) == before


def test_a_sound_model_is_loaded(tmp_path, good):
    model = load_model(packed(tmp_path / "model.keras", good))
    assert model(np.zeros((3, 4))).shape == (3, 2)


def with_lambda(executed):
    """A model whose layer leaves a file behind wherever it is built or called."""
    name = str(executed)
    layer = keras.layers.Lambda(lambda x: (open(name, "w").close(), x)[1])  # noqa: PTH123
    return keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2)])


@pytest.mark.fault(19)
def test_a_lambda_layer_is_refused_by_us_and_by_keras(tmp_path, monkeypatch):
    path, executed = tmp_path / "in" / "model.keras", tmp_path / "executed"
    path.parent.mkdir()
    with_lambda(executed).save(path)
    executed.unlink()
    refused(path, "must hold no Lambda layer")
    monkeypatch.setattr(model_file, "_holds_code", lambda _: False)
    refused(path, "cannot be loaded", "ambda")
    assert not executed.exists()
    keras.saving.load_model(path, safe_mode=False)
    assert executed.exists()  # it was no harmless file


@pytest.mark.fault(19)
def test_a_network_with_a_lambda_layer_is_not_even_trained(tmp_path):
    with pytest.raises(InvalidInput, match=r"recipe odd: .*Lambda"):
        refuse_code(with_lambda(tmp_path / "executed"), "odd")


@pytest.mark.fault(19)
def test_what_a_config_names_is_not_imported(tmp_path, good):
    config = json.loads(good["config.json"])
    config |= {"module": "antigravity", "class_name": "Webbrowser"}
    refused(packed(tmp_path / "model.keras", good | {"config.json": json.dumps(config)}), "cannot be loaded")
    assert "antigravity" not in __import__("sys").modules


@pytest.mark.fault(19)
@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "assets/../../outside", "extra.pkl"])
def test_members_that_do_not_belong_there_are_refused(tmp_path, good, name):
    (tmp_path / "in").mkdir()
    refused(packed(tmp_path / "in" / "model.keras", good | {name: b"x"}), repr(name))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.fault(19)
def test_a_zip_bomb_is_not_unpacked(tmp_path, good, monkeypatch):
    path = packed(tmp_path / "model.keras", good | {model_file.WEIGHTS: bytes(2**20)}, zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(model_file, "MOST_BYTES", 2**20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("a member was opened"))
    refused(path, "may take 1,048,576 bytes unpacked, but takes")


def test_weights_that_are_larger_than_their_file_are_refused(tmp_path, good, monkeypatch):
    buffer = io.BytesIO(good[model_file.WEIGHTS])
    with h5py.File(buffer, "r+") as file:
        file.create_dataset("bomb", (2**32,), "u1", chunks=(2**20,), compression="gzip")
    content = buffer.getvalue()
    assert len(content) < 100_000
    monkeypatch.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("the model was loaded"))
    refused(packed(tmp_path / "model.keras", good | {model_file.WEIGHTS: content}), "unpacked, but takes 4,294,967,")


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "nowhere.keras", "No such file")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_are_loaded_or_refused(tmp_path, good, data):
    path = packed(tmp_path / "model.keras", good)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        load_model(path)
    except InvalidInput as refusal:
        assert str(refusal).startswith("model: model.keras ")  # noqa: PT017
