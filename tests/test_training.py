"""The training process on a small made data set: results, resuming, divergence, selection."""

import json
import math
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from made_data import make_dataset

from mnist_models.data.arrays import load_arrays, save_arrays
from mnist_models.errors import InvalidInput
from mnist_models.recipe import Augmentation, Optimizer
from mnist_models.recipe_catalog import find_recipe
from mnist_models.recipes.relu_dropout import network
from mnist_models.trainer import checkpoint as checkpoints
from mnist_models.trainer import training
from mnist_models.trainer.inference import predict, trained_network
from mnist_models.trainer.loop import Loop
from mnist_models.trainer.model_file import load_model
from mnist_models.trainer.training import train
from mnist_models.training_run.job import PredictJob, TrainJob, from_line, to_line
from mnist_models.training_run.metrics_log import read_records
from mnist_models.training_run.run_directory import RunDirectory

# Dropout, augmentation, Adam and a schedule: everything that has a state or draws at random.
RECIPE = replace(
    find_recipe("relu_dropout_stable"),
    name="made",
    network=network,
    optimizer=Optimizer("adam", 0.01, schedule="one_cycle"),
    augmentation=Augmentation(rotation_degrees=5, shift=0.05, zoom=0.05),
    label_smoothing=0.1,
    batch_size=50,
    steps=60,
    validations=6,
    validation_fraction=0.2,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return save_arrays(make_dataset(classes=4, side=16, train=300, test=80), tmp_path_factory.mktemp("data"))


def job(directory, data, seed=3, continues=None):
    directory.mkdir(exist_ok=True)
    return TrainJob(directory, seed, data, "float32", continues)


def final_weights(directory):
    return checkpoints.load(RunDirectory(directory).checkpoint_file)


def assert_same_end(one, other):
    first, second = final_weights(one), final_weights(other)
    for part in ("model", "optimizer"):
        for a, b in zip(getattr(first, part), getattr(second, part), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(RunDirectory(one).predictions().test, RunDirectory(other).predictions().test)


def without_times(path):
    drop = ("time", "speed/images_per_second", "memory/trainer_mb")
    return [{k: v for k, v in record.items() if k not in drop} for record in read_records(path)[0]]


def test_a_training_leaves_everything_behind(tmp_path, data):
    result = train(job(tmp_path / "run", data), RECIPE)
    directory = RunDirectory(tmp_path / "run")
    assert result == directory.result()
    assert result.status == "finished"
    assert result.test_accuracy > 0.9  # the made classes are easy
    assert result.steps == result.kept_step == 60
    assert result.parameters == 256 * 100 + 100 + 100 * 4 + 4
    history = directory.history()
    assert history["train/loss"][0].tolist() == list(range(1, 61))
    assert history["validation/accuracy"][0].tolist() == [10, 20, 30, 40, 50, 60]
    predictions = directory.predictions()
    assert predictions.test.shape == (80, 4)
    assert len(predictions.validation) == len(predictions.validation_indices) == 60
    accuracy = np.mean(predictions.test.argmax(1) == load_arrays(data).y_test)
    assert result.test_accuracy == pytest.approx(accuracy)
    # The saved model gives the same probabilities, from the same uint8 images.
    np.save(tmp_path / "images.npy", load_arrays(data).x_test)
    predict(PredictJob(directory.model_file, tmp_path / "images.npy", tmp_path / "probabilities.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "probabilities.npy"), predictions.test)


def test_a_model_is_loaded_once_for_many_portions_and_again_if_it_has_changed(tmp_path, data, monkeypatch):
    loaded = []

    def load(file):
        loaded.append(file)
        return load_model(file)

    monkeypatch.setattr("mnist_models.trainer.inference.load_model", load)
    np.save(tmp_path / "images.npy", load_arrays(data).x_test)
    answers = []
    for seed in (1, 2):
        train(job(tmp_path / str(seed), data, seed=seed), RECIPE)
        shutil.copy(RunDirectory(tmp_path / str(seed)).model_file, tmp_path / "model.keras")
        for _ in range(3):
            predict(PredictJob(tmp_path / "model.keras", tmp_path / "images.npy", tmp_path / "out.npy"))
        answers.append(np.load(tmp_path / "out.npy"))
        np.testing.assert_array_equal(answers[-1], RunDirectory(tmp_path / str(seed)).predictions().test)
    assert len(loaded) == 2


def test_the_same_seed_gives_the_same_result_and_another_another(tmp_path, data):
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        train(job(tmp_path / name, data, seed=seed), RECIPE)
    assert_same_end(tmp_path / "one", tmp_path / "same")
    with pytest.raises(AssertionError):
        assert_same_end(tmp_path / "one", tmp_path / "other")


class Killed(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.mark.parametrize("stretches", [1, 4, 7])
def test_an_interrupted_training_ends_like_an_uninterrupted_one(tmp_path, data, monkeypatch, stretches):
    recipe = replace(RECIPE, keep="best")
    train(job(tmp_path / "control", data), recipe)
    run, left = Loop.run, [stretches]

    def killed_after(loop, batches, first_step):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return run(loop, batches, first_step)

    monkeypatch.setattr(Loop, "run", killed_after)
    with pytest.raises(Killed):
        train(job(tmp_path / "run", data), recipe)
    assert RunDirectory(tmp_path / "run").result() is None
    monkeypatch.setattr(Loop, "run", run)
    result = train(job(tmp_path / "run", data), recipe)
    assert_same_end(tmp_path / "control", tmp_path / "run")
    control = RunDirectory(tmp_path / "control")
    assert without_times(RunDirectory(tmp_path / "run").metrics_file) == without_times(control.metrics_file)
    assert result.kept_step == control.result().kept_step


@pytest.mark.parametrize(("share", "saved"), [(math.inf, [10, 20, 30, 40, 50, 60]), (1e-9, [10, 60])])
def test_checkpoints_after_validations_take_a_share_of_the_time_but_the_last_is_always_written(
    tmp_path, data, monkeypatch, share, saved
):
    monkeypatch.setattr(training, "SAVING_SHARE", share)
    steps, save = [], checkpoints.save
    monkeypatch.setattr(checkpoints, "save", lambda state, path: (steps.append(state.progress.step), save(state, path)))
    train(job(tmp_path / "run", data), RECIPE)
    assert steps == saved


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, data, monkeypatch):
    monkeypatch.setattr(training, "SAVING_SHARE", math.inf)
    train(job(tmp_path / "control", data), RECIPE)
    saved = []
    save = checkpoints.save

    def killed_at_third(checkpoint, path):
        save(checkpoint, path)
        saved.append(checkpoint.progress.step)
        if len(saved) == 3:
            raise Killed

    monkeypatch.setattr(checkpoints, "save", killed_at_third)
    with pytest.raises(Killed):
        train(job(tmp_path / "run", data), RECIPE)
    monkeypatch.setattr(checkpoints, "save", save)
    file = RunDirectory(tmp_path / "run").checkpoint_file
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    result = train(job(tmp_path / "run", data), RECIPE)
    assert result.resumed_at == (saved[1],)
    assert [text.split(" (")[0] for text in result.damaged] == ["checkpoint.npz is damaged"]
    assert_same_end(tmp_path / "control", tmp_path / "run")


def test_a_continued_training_starts_from_the_weights_and_the_optimiser(tmp_path, data):
    recipe = replace(RECIPE, optimizer=Optimizer("adam", 0.01))
    more = replace(recipe, name="more", continues="made", optimizer=Optimizer("adam", 1e-9))
    train(job(tmp_path / "first", data), recipe)
    train(job(tmp_path / "second", data, continues=tmp_path / "first"), more)
    first, second = final_weights(tmp_path / "first"), final_weights(tmp_path / "second")
    np.testing.assert_allclose(second.model[0], first.model[0], atol=1e-6)
    assert int(second.optimizer[0]) == 120  # iterations go on


def test_best_keeps_the_best_validation_not_the_last(tmp_path, data):
    # A rate that only rises breaks the model again after a good start.
    recipe = replace(RECIPE, keep="best", optimizer=Optimizer("sgd", 3.0, schedule="one_cycle", warm_up=0.99))
    result = train(job(tmp_path / "run", data), recipe)
    history = RunDirectory(tmp_path / "run").history()
    steps, accuracies = history["validation/accuracy"]
    assert result.kept_step == steps[np.argmax(accuracies)] < 60
    assert result.validation_accuracy == pytest.approx(accuracies.max())
    assert accuracies[-1] < accuracies.max()


@pytest.mark.parametrize("declared", [True, False])
def test_a_divergence_is_diagnosed_and_the_last_good_weights_kept(tmp_path, data, declared):
    recipe = replace(
        RECIPE, loss="naive_cross_entropy", label_smoothing=0.0, optimizer=Optimizer("sgd", 500.0), diverges=declared
    )
    result = train(job(tmp_path / "run", data), recipe)
    directory = RunDirectory(tmp_path / "run")
    losses = directory.history()["train/loss"][1]
    assert result.status == "diverged"
    assert result.first_nan_step == np.flatnonzero(~np.isfinite(losses))[0] + 1
    assert result.nan_variable.endswith("output/bias")
    assert np.isnan(directory.predictions().test).all()
    # A recipe that is to show the collapse goes on to its end; any other stops at once.
    assert result.steps == (60 if declared else result.first_nan_step)
    assert result.test_accuracy == pytest.approx(np.mean(load_arrays(data).y_test == 0))
    assert f"last-good-step-{result.kept_step}.keras" == directory.kept_files()[0].name
    assert result.kept_step < result.first_nan_step
    assert [file.name.startswith("last-good") for file in directory.kept_files()] == [True]
    model = keras.saving.load_model(directory.model_file)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_a_damaged_run_directory_has_no_result(tmp_path, data):
    train(job(tmp_path / "run", data), RECIPE)
    directory = RunDirectory(tmp_path / "run")
    for file in (directory.model_file, directory.predictions_file, directory.metrics_file):
        whole = file.read_bytes()
        file.write_bytes(whole[:-1])
        assert directory.result() is None, file
        file.write_bytes(whole)
        assert directory.result() is not None
    directory.result_file.write_text(directory.result_file.read_text()[:50])
    assert directory.result() is None


def test_an_overflow_in_the_very_last_update_is_no_success(tmp_path, data):
    recipe = replace(RECIPE, steps=1, validations=1, augmentation=None, optimizer=Optimizer("sgd", 3e38))
    result = train(job(tmp_path / "run", data), recipe)
    assert (result.status, result.first_nan_step, result.kept_step) == ("diverged", 1, 0)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_and_serves_float32(tmp_path, data, precision):
    result = train(replace(job(tmp_path / "run", data), precision=precision), RECIPE)
    assert result.test_accuracy > 0.9
    assert RunDirectory(tmp_path / "run").predictions().test.dtype == np.float32
    model = keras.saving.load_model(RunDirectory(tmp_path / "run").model_file)
    assert {layer.dtype_policy.name for layer in model._flatten_layers(include_self=False)} <= {"float32"}


def with_code(shape, classes):
    layers = [keras.layers.Flatten(), keras.layers.Lambda(lambda x: x), keras.layers.Dense(classes)]
    return keras.Sequential([keras.Input(shape), keras.Sequential(layers)])


def test_a_network_that_could_not_be_loaded_is_not_trained(tmp_path, data):
    recipe = replace(RECIPE, network=with_code)
    with pytest.raises(InvalidInput, match=r"recipe made: network must hold no Lambda layer"):
        train(job(tmp_path / "run", data), recipe)


def test_a_job_survives_its_line(tmp_path):
    for made in (job(tmp_path / "x", tmp_path / "data.npz", continues=tmp_path / "y"), job(tmp_path / "x", tmp_path)):
        line = to_line(made)
        assert line.count("\n") == 1
        assert json.loads(line)["kind"] == "train"
        assert from_line(line) == made
    asked = PredictJob(tmp_path / "model.keras", tmp_path / "a.npy", tmp_path / "b.npy")
    assert from_line(to_line(asked)) == asked


def test_a_finished_run_directory_alone_rebuilds_and_loads_its_network(tmp_path, data):
    directory = RunDirectory(tmp_path / "run")
    directory.write_recipe(RECIPE, image_shape=(16, 16, 1), classes=4)
    train(job(directory.path, data), RECIPE)
    (tmp_path / "moved").mkdir()
    moved = RunDirectory((directory.path).rename(tmp_path / "moved" / "elsewhere"))
    network = trained_network(moved)
    images = load_arrays(data).x_test
    logits = network(images[..., None].astype(np.float32) / 255, training=False)
    np.testing.assert_allclose(keras.ops.softmax(logits), moved.predictions().test, atol=1e-6)
