"""All figures of a training and of a comparison, drawn from what trainings have left behind."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mnist_models.atomic import write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.metrics import evaluate
from mnist_models.figures import plots
from mnist_models.figures.compared import Compared
from mnist_models.training_run.run_directory import RunDirectory


def draw_training(directory: RunDirectory, recipe: str, data: Dataset, folder: Path) -> None:
    """Write the figures of a finished training as PNG files into `folder`, each under its name."""
    write_atomically(folder / "sample_images.png", _sample_images(data))
    _write(_of_training(directory, recipe, data), folder)


def draw_comparison(trainings: Sequence[Compared], labels: NDArray[np.int32], folder: Path) -> None:
    """Write the figures that compare trainings, all tested on images with these labels int32 [n]."""
    _write(_of_comparison(trainings, labels), folder)


_drawn_samples: dict[str, bytes] = {}


def _sample_images(data: Dataset) -> bytes:
    """The same for all trainings on the same data, and the dearest of all figures."""
    if data.digest not in _drawn_samples:
        _drawn_samples.clear()
        _drawn_samples[data.digest] = plots.png(plots.sample_images(data.x_train, data.y_train))
    return _drawn_samples[data.digest]


def _write(drawn: Iterator[tuple[str, Figure]], folder: Path) -> None:
    for name, figure in drawn:
        write_atomically(folder / f"{name}.png", plots.png(figure))


def _of_training(directory: RunDirectory, recipe: str, data: Dataset) -> Iterator[tuple[str, Figure]]:
    result, probabilities = directory.result(), directory.predictions().test
    assert result is not None
    test = evaluate(probabilities, data.y_test)
    yield (
        "learning_curves",
        plots.learning_curves(directory.history(), recipe, test_accuracy=test.accuracy, nan_step=result.first_nan_step),
    )
    yield "predictions", plots.predictions(data.x_test, data.y_test, probabilities)
    yield "confusion_matrix", plots.confusion_matrix(test.confusion_matrix)
    yield "per_class_accuracy", plots.per_class_accuracy(test)
    yield "reliability_diagram", plots.reliability_diagram(probabilities, data.y_test)
    yield "mistakes", plots.mistakes(data.x_test, data.y_test, probabilities)


def _of_comparison(trainings: Sequence[Compared], labels: NDArray[np.int32]) -> Iterator[tuple[str, Figure]]:
    directories = {each.name: RunDirectory(each.directory) for each in trainings}
    tests = [evaluate(directory.predictions().test, labels) for directory in directories.values()]
    accuracies, lows, highs = zip(
        *((test.accuracy, test.accuracy_low, test.accuracy_high) for test in tests), strict=True
    )
    yield "comparison", plots.comparison(list(directories), accuracies, lows, highs, [t.status for t in trainings])
    histories = {name: directory.history() for name, directory in directories.items()}
    yield "validation_accuracy", plots.overlaid_curves(histories, "validation/accuracy", x="share")
    yield "train_loss", plots.overlaid_curves(histories, "train/loss")
    studies: dict[str, dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    for each in trainings:
        if each.study is not None:
            values = histories[each.name]["validation/accuracy"][1]
            studies.setdefault(each.study, {})[each.name] = (np.arange(1, len(values) + 1), values)
    for study, curves in studies.items():
        if len(curves) > 1:
            yield f"{study}_study", plots.initialisation_study(curves)
