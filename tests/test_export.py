"""`mnist export`: what is refused, and that nothing is left of a model that answers otherwise."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from commands import mnist_here
from made_data import make_dataset, write_npz
from mlflow.entities.model_registry import ModelVersion

from mnist_models.data.arrays import save_arrays
from mnist_models.errors import InvalidInput
from mnist_models.trainer_pool.errors import TrainingFailed
from mnist_models.training_run.export import FORMATS, Agreement, check_agreement
from mnist_models.training_run.job import ExportJob, from_line, to_line
from tasks.config.settings import load_settings
from tasks.registry.named_version import named_version
from tasks.supervision import model_export
from tasks.supervision.model_export import check_format, data_of, export_version, output_path
from tasks.tracking.tracker import Tracker

SAME = Agreement(images=80, equal=1.0, largest_difference=1e-7, bytes=1000)


class Slots:
    """A backend whose only job is to write what it was told to."""

    def __init__(self, agreement=SAME, error=None):
        self.agreement, self.error, self.jobs = agreement, error, []

    @contextmanager
    def slot(self, **_):
        yield self

    def run(self, job):
        self.jobs.append(job)
        if self.error:
            raise self.error
        if job.output.suffix:
            job.output.write_bytes(b"model")
        else:
            (job.output / "variables").mkdir(parents=True)
            (job.output / "variables" / "data").write_bytes(b"model")
        job.report.write_text(self.agreement.to_json())


@pytest.fixture
def weights(monkeypatch, tmp_path):
    monkeypatch.setattr(model_export, "downloaded_weights", lambda *_: tmp_path / "model.keras")


def version(**tags):
    found = ModelVersion("digits", "3", 0)
    for key, value in tags.items():
        found.tags[key] = value
    return found


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("name", FORMATS)
def test_what_agrees_is_there_whole(tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    output = output_path(str(folder / f"mine{FORMATS[name].suffix}"), name, "digits-3")
    backend = Slots()
    assert export_version(None, backend, version(), tmp_path, name, output) == SAME
    assert [path.name for path in folder.iterdir()] == [output.name]
    assert (output / "variables" / "data" if output.is_dir() else output).read_bytes() == b"model"
    (job,) = backend.jobs
    assert (job.format, job.data, job.output.suffix) == (name, tmp_path, output.suffix)
    assert from_line(to_line(job)) == job


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (Slots(replace(SAME, equal=0.9)), r"onnx this model answers otherwise: 90\.00% of 80 .* 99\.9% must be equal"),
        (Slots(replace(SAME, largest_difference=0.01)), "differences of 0.0001 at most"),
        (Slots(error=TrainingFailed("Traceback …\nValueError: no such operation")), "cannot be written as onnx"),
        (Slots(error=InvalidInput("model: too large.")), "too large"),
    ],
)
def test_nothing_is_left_of_what_does_not_agree(tmp_path, backend, message):
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(InvalidInput, match=message):
        export_version(None, backend, version(), tmp_path, "onnx", folder / "mine.onnx")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("difference", [float("nan"), float("inf"), 0.2])
def test_floats_must_be_near(difference):
    check_agreement("tflite", SAME)
    with pytest.raises(InvalidInput, match="answers otherwise"):
        check_agreement("tflite", replace(SAME, largest_difference=difference))


def test_eight_bits_may_move_probabilities_but_not_answers():
    check_agreement("tflite-int8", replace(SAME, equal=0.985, largest_difference=0.3))
    for worse in (
        replace(SAME, equal=0.97),
        replace(SAME, equal=float("nan")),
        replace(SAME, largest_difference=float("nan")),
    ):
        with pytest.raises(InvalidInput, match=r"98\.0% must be equal\.$"):
            check_agreement("tflite-int8", worse)


def test_an_agreement_survives_as_json():
    assert Agreement.from_json(SAME.to_json()) == SAME
    assert SAME.in_words().startswith("100.00% of 80 test images get the same answer")


def test_a_format_that_is_unknown_or_not_installed_is_refused(monkeypatch):
    with pytest.raises(InvalidInput, match=r"format 'onxx' does not exist: did you mean onnx\?"):
        check_format("onxx")
    monkeypatch.setattr(model_export, "find_spec", lambda _name: None)
    check_format("saved_model")
    with pytest.raises(InvalidInput, match=r"onnx needs tf2onnx, onnx, onnxruntime, .*mnist-pipeline\[export\]"):
        check_format("onnx")


def test_a_place_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert output_path("", "saved_model", "digits-3") == tmp_path / "digits-3"
    assert output_path("", "tflite-int8", "digits-3") == tmp_path / "digits-3.tflite"
    (tmp_path / "there.onnx").write_text("x")
    (tmp_path / "gone.onnx").symlink_to("nowhere")
    for given, message in {
        "there.onnx": "exists already",
        "gone.onnx": "exists already",
        "a.keras": r"must end with \.onnx",
        "no/folder.onnx": "existing folder",
    }.items():
        with pytest.raises(InvalidInput, match=f"output: {given} .*{message}"):
            output_path(given, "onnx", "digits-3")


def test_the_data_are_those_that_the_version_was_tested_on(home):
    settings, made = load_settings(), make_dataset()
    here = version(data_digest=made.digest, data="made.npz")
    file = str(write_npz(make_dataset(), home / "made.npz"))
    with pytest.raises(InvalidInput, match=r"made\.npz, on which digits version 3 was tested, is not kept here"):
        data_of(settings, here, "", print)
    other = str(write_npz(make_dataset(seed=1), home / "other.npz"))
    with pytest.raises(InvalidInput, match="these are not the data"):
        data_of(settings, here, other, print)
    assert data_of(settings, here, file, print).name == made.digest[:16]
    assert data_of(settings, here, "", print) == save_arrays(made, settings.data)
    with pytest.raises(InvalidInput, match="was not registered by this pipeline"):
        data_of(settings, version(), file, print)


def test_versions_are_named_by_number_or_alias(store, tmp_path):
    tracker = Tracker(load_settings())
    client = tracker.client
    for given in ("1", "champion"):
        with pytest.raises(InvalidInput, match=f"test-model has no .* '{given}'"):
            named_version(tracker, given)
    client.create_registered_model("test-model")
    client.create_model_version("test-model", f"file://{tmp_path}")
    client.set_registered_model_alias("test-model", "champion", "1")
    assert {str(named_version(tracker, given).version) for given in ("1", "champion")} == {"1"}
    for given in ("2", "other", "-1", "²", "", "a/b"):
        with pytest.raises(InvalidInput, match="give the number of a version or its alias"):
            named_version(tracker, given)


def test_the_command_refuses_in_one_sentence(store):
    result = mnist_here("export", "champion", "--format", "onnx")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "mnist: version: test-model has no alias 'champion'; give the number of a version or its alias.\n"
    )
    assert mnist_here("export", "1", "--format", "pickle").returncode == 2


def test_jobs_fit_on_a_line(tmp_path):
    job = ExportJob(tmp_path / "a\nb.keras", tmp_path, "onnx", tmp_path / "c.onnx", tmp_path / "r.json")
    assert to_line(job).count("\n") == 1
    assert from_line(to_line(job)) == job
    assert json.loads(to_line(job))["kind"] == "export"
    assert isinstance(job.output, Path)
