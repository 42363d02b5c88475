"""Which figures a training and a comparison get, drawn here from files as a trainer leaves them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_data import make_dataset

from mnist_models.data.dataset import Facts
from mnist_models.figures.render import draw_comparison, draw_training
from mnist_models.figures.renderer import Compared
from mnist_models.training_run.metrics_log import MetricsLog
from mnist_models.training_run.run_directory import RunDirectory

DATA = make_dataset()


@pytest.fixture
def trained(tmp_path):
    """Makes run directories with a history and predictions."""

    def make(name):
        directory = RunDirectory(tmp_path / name)
        directory.path.mkdir()
        log = MetricsLog(directory.metrics_file)
        for step in range(1, 21):
            log.append([{"step": step, "time": step, "train/loss": 1 / step, "train/accuracy": 1 - 0.5 / step}])
            if step % 10 == 0:
                log.append([{"step": step, "time": step, "validation/loss": 1 / step, "validation/accuracy": 0.9}])
        log.close()
        probabilities = np.eye(DATA.classes, dtype=np.float32)[DATA.y_test]
        validation = {"validation": probabilities[:5], "validation_indices": np.arange(5)}
        np.savez(directory.predictions_file, test=probabilities, **validation)
        return directory

    return make


def names(folder):
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in folder.iterdir())
    return {file.stem for file in folder.iterdir()}


def test_a_training_gets_its_figures(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(RunDirectory, "result", lambda _self: SimpleNamespace(first_nan_step=None))
    draw_training(trained("one"), "a recipe", DATA, tmp_path / "figures")
    assert names(tmp_path / "figures") == {
        "sample_images", "learning_curves", "predictions", "confusion_matrix", "per_class_accuracy",
        "reliability_diagram", "mistakes",
    }  # fmt: skip


def test_figures_say_the_names_of_the_data_set(trained, tmp_path, monkeypatch):
    from matplotlib.text import Text

    from mnist_models.figures import render

    data, said = replace(DATA, facts=Facts(class_names=("circle", "square", "star"))), {}
    monkeypatch.setattr(RunDirectory, "result", lambda _self: SimpleNamespace(first_nan_step=None))
    drawn = render.png

    def spy(figure):
        said[len(said)] = {word for text in figure.findobj(Text) for word in text.get_text().split()}
        return drawn(figure)

    monkeypatch.setattr(render, "png", spy)
    draw_training(trained("one"), "a recipe", data, tmp_path / "figures")
    assert sum("circle" in each for each in said.values()) == 4  # samples, predictions, matrix and accuracy by class
    assert not any("class" in each for each in said.values())


def test_a_study_is_drawn_where_two_trainings_belong_to_it(trained, tmp_path):
    studies = {"one": "a", "two": "a", "three": "b", "four": None}
    compared = [Compared(name, trained(name).path, "finished", study) for name, study in studies.items()]
    draw_comparison(compared, DATA.y_test, tmp_path / "figures")
    assert names(tmp_path / "figures") == {"comparison", "validation_accuracy", "train_loss", "a_study"}
