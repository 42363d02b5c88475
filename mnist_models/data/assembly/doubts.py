"""What is doubtful about a data set, though it can be used: one sentence each, for the summary."""

from collections.abc import Iterator

import numpy as np

from mnist_models.data.content_keys import Keys
from mnist_models.data.dataset import Dataset
from mnist_models.shown_text import in_title

FEW_IMAGES = 10  # of a class in training
MANY_DUPLICATES = 0.1  # of the training images
MANY_CLASSES = 0.2  # of the number of training images
MOST_NAMED = 5


def doubts(dataset: Dataset, train: Keys, test: Keys) -> Iterator[str]:
    """Yield the sentences; the keys are those of all training and all test images, uint64 [n]."""
    names, counts = dataset.class_names, np.bincount(dataset.y_train, minlength=dataset.classes)
    total = len(dataset.y_train)
    if (few := np.flatnonzero(counts < FEW_IMAGES)).size:
        each = [f"{in_title(names[index])} ({counts[index]})" for index in few]
        yield f"few training images of {_some(each)}"
    tested = np.bincount(dataset.y_test, minlength=dataset.classes)
    if (missing := np.flatnonzero(tested == 0)).size:
        yield f"no test image of {_some([in_title(names[index]) for index in missing])}"
    if total >= FEW_IMAGES and len(names) > MANY_CLASSES * total:
        yield f"{len(names):,} classes for {total:,} training images: the labels look like numbers of rows"
    unique, first, inverse = np.unique(train, return_index=True, return_inverse=True)
    copies = total - len(unique)
    if len(unique) == 1:
        yield "all training images are equal"
    elif copies > MANY_DUPLICATES * total:
        yield f"{copies:,} of {total:,} training images ({copies / total:.0%}) are copies of others"
    contradicting = int((dataset.y_train != dataset.y_train[first][inverse]).sum())
    if contradicting and len(unique) > 1:
        images = "image has" if contradicting == 1 else "images have"
        yield f"{contradicting:,} training {images} another label than an equal image"
    if leaked := int(np.isin(test, train).sum()):
        yield f"{leaked:,} of {len(test):,} test images are training images, too: the accuracy will look too good"


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - MOST_NAMED:,} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more
