"""All figures of a training and of a comparison, from the files of the trainings."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mnist_models.atomic import write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.metrics import Labels, confusion_matrix, evaluate
from mnist_models.figures.plots.accuracy_ranking import accuracy_ranking
from mnist_models.figures.plots.confusion_matrix import confusion_figure, per_class_accuracy
from mnist_models.figures.plots.example_images import mistakes, predictions, sample_images
from mnist_models.figures.plots.initialisation import initialisation_study
from mnist_models.figures.plots.learning_curves import learning_curves
from mnist_models.figures.plots.overlaid_curves import overlaid_curves
from mnist_models.figures.plots.raster import png
from mnist_models.figures.plots.reliability import reliability_diagram
from mnist_models.figures.plots.series import Steps, Values
from mnist_models.figures.renderer import Compared
from mnist_models.metric_names import TRAIN_LOSS, VALIDATION_ACCURACY
from mnist_models.training_run.run_directory import RunDirectory


def draw_training(directory: RunDirectory, recipe: str, data: Dataset, folder: Path) -> None:
    """Write the figures of a finished training as PNG files into `folder`, each under its name."""
    write_atomically(folder / "sample_images.png", _sample_images(data))
    _write(_of_training(directory, recipe, data), folder)


def draw_comparison(trainings: Sequence[Compared], labels: Labels, folder: Path) -> None:
    """Write the figures that compare trainings, all tested on images with these `labels` int32 [n], into `folder`."""
    _write(_of_comparison(trainings, labels), folder)


@lru_cache(maxsize=1)
def _sample_images(data: Dataset) -> bytes:
    """Return a PNG that is the same for all trainings on the same data; it takes longest to draw."""
    return png(sample_images(data.x_train, data.y_train, data.class_names))


def _write(figures: Iterator[tuple[str, Figure]], folder: Path) -> None:
    for name, figure in figures:
        write_atomically(folder / f"{name}.png", png(figure))


def _of_training(directory: RunDirectory, recipe: str, data: Dataset) -> Iterator[tuple[str, Figure]]:
    names = data.class_names
    result, probabilities, history = directory.result(), directory.predictions().test, directory.history()
    assert result is not None
    accuracy, matrix = evaluate(probabilities, data.y_test).accuracy, confusion_matrix(probabilities, data.y_test)
    curves = learning_curves(history, recipe, test_accuracy=accuracy, nan_step=result.first_nan_step)
    yield "learning_curves", curves
    yield "predictions", predictions(data.x_test, data.y_test, probabilities, names)
    yield "confusion_matrix", confusion_figure(matrix, names)
    yield "per_class_accuracy", per_class_accuracy(matrix, names)
    yield "reliability_diagram", reliability_diagram(probabilities, data.y_test)
    yield "mistakes", mistakes(data.x_test, data.y_test, probabilities, names)


def _of_comparison(trainings: Sequence[Compared], labels: Labels) -> Iterator[tuple[str, Figure]]:
    directories = {training.name: RunDirectory(training.directory) for training in trainings}
    tests = [evaluate(directory.predictions().test, labels) for directory in directories.values()]
    accuracies = [test.accuracy for test in tests]
    lows, highs = [test.accuracy_low for test in tests], [test.accuracy_high for test in tests]
    statuses = [training.status for training in trainings]
    yield "comparison", accuracy_ranking(list(directories), accuracies, lows, highs, statuses)
    histories = {name: directory.history() for name, directory in directories.items()}
    yield "validation_accuracy", overlaid_curves(histories, VALIDATION_ACCURACY, x="share")
    yield "train_loss", overlaid_curves(histories, TRAIN_LOSS)
    studies: dict[str, dict[str, tuple[Steps, Values]]] = {}
    for training in trainings:
        if training.study is not None:
            values = histories[training.name][VALIDATION_ACCURACY][1]
            studies.setdefault(training.study, {})[training.name] = (np.arange(1, len(values) + 1), values)
    for study, curves in studies.items():
        if len(curves) > 1:
            yield f"{study}_study", initialisation_study(curves)
