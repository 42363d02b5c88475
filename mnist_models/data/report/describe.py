"""From a data set to what is to be known of it."""

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from mnist_models.data.assembly.near_duplicates import near_duplicates
from mnist_models.data.dataset import Dataset
from mnist_models.data.report.report import ClassCounts, Copies, DataReport
from mnist_models.redaction import redacted

MOST_COMPARED = 100_000  # images among which near copies are looked for, in about 10 s
MANY_LEAKS = 0.02  # of the test images; of MNIST, 1 % nearly equal a training image, which are the simplest of all

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.uint64]


def describe(dataset: Dataset, command: str = "") -> DataReport:
    """Return what can be told of a data set at once, and the `command` that trains on it."""
    facts, (height, width, channels) = dataset.facts, dataset.image_shape
    counts = np.bincount(dataset.y_train, minlength=dataset.classes)
    return DataReport(
        name=dataset.name,
        source=redacted(dataset.source),
        digest=dataset.digest,
        version=facts.version,
        height=height,
        width=width,
        channels=channels,
        classes=_by_class(dataset),
        imbalance=round(float(counts.max() / counts.min()), 2),
        equal=_copies(*dataset.keys),
        near=None,
        contradicting=_contradicting(dataset),
        pixels=facts.pixels,
        sizes=facts.sizes,
        own_sizes=facts.own_sizes,
        test_part=facts.test_part,
        unreadable=facts.unreadable,
        left_alone=facts.left_alone,
        warnings=facts.warnings,
        command=command,
    )


def compared(report: DataReport, dataset: Dataset) -> DataReport:
    """Return the report with the images that are nearly equal, unless there are too many to look for them."""
    border, total = len(dataset.x_train), len(dataset.x_train) + len(dataset.x_test)
    if total > MOST_COMPARED:
        return report
    both = cast("npt.NDArray[np.uint8]", _Both(dataset.x_train, dataset.x_test))
    numbers = near_duplicates(both, np.concatenate(dataset.keys))
    found = _copies(numbers[:border], numbers[border:])
    near = Copies(*(max(alike - same, 0) for alike, same in zip(found, report.equal, strict=True)))
    tested = total - border
    warnings = report.warnings
    if near.across > MANY_LEAKS * tested:
        leaks = f"{near.across:,} of {tested:,} test images nearly equal a training image"
        warnings = (*warnings, f"{leaks}: the accuracy will look too good")
    return replace(report, near=near, warnings=warnings)


def _by_class(dataset: Dataset) -> tuple[ClassCounts, ...]:
    held_out = dataset.facts.validation
    border = len(dataset.y_train) - held_out
    labels = dataset.y_train[:border], dataset.y_train[border:], dataset.y_test
    counts = [np.bincount(each, minlength=dataset.classes).tolist() for each in labels]
    return tuple(ClassCounts(*row) for row in zip(dataset.class_names, *counts, strict=True))


def _copies(train: Numbers, test: Numbers) -> Copies:
    """Return how many images share their number with another one."""
    across = int(np.isin(test, train).sum())
    return Copies(len(train) - len(np.unique(train)), len(test) - len(np.unique(test)), across)


def _contradicting(dataset: Dataset) -> int:
    _, first, inverse = np.unique(dataset.keys[0], return_index=True, return_inverse=True)
    return int((dataset.y_train != dataset.y_train[first][inverse]).sum())


class _Both:
    """Training and test images one after another, without a copy of them: they are mapped from files."""

    def __init__(self, train: np.ndarray, test: np.ndarray) -> None:
        self._train, self._test, self._border = train, test, len(train)
        self.shape: tuple[int, ...] = (len(train) + len(test), *train.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: npt.NDArray[np.int64] | int) -> np.ndarray:
        """Return one image, or those with the indices."""
        if isinstance(index, int | np.integer):
            if index >= len(self):
                raise IndexError(index)
            chosen: np.ndarray = self._train[index] if index < self._border else self._test[index - self._border]
            return chosen
        images = np.empty((len(index), *self.shape[1:]), np.uint8)
        late = index >= self._border
        images[~late], images[late] = self._train[index[~late]], self._test[index[late] - self._border]
        return images
