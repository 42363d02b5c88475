"""A verified data set as files that every process maps into its memory, in a folder named by their content."""

import dataclasses
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mnist_models.atomic import atomic_path, write_atomically
from mnist_models.data.dataset import ARRAYS, MORE_ARRAYS, Dataset, Facts
from mnist_models.images.fit import Fit

KEPT = ("class_names", "validation")  # of the facts, those that the digest covers


def save_arrays(dataset: Dataset, folder: Path) -> Path:
    """Write the data set into a subfolder of `folder`, unless the same content is there; return the subfolder."""
    path = folder / dataset.digest[:16]
    with suppress(Exception):  # files that are missing or damaged in any way are written again
        stored = load_arrays(path)
        if replace(stored, known_digest="").digest == stored.digest == dataset.digest:
            return path
    for name in (*ARRAYS, *MORE_ARRAYS):
        if (array := getattr(dataset, name)) is not None:
            with atomic_path(path / f"{name}.npy") as temporary:
                np.save(temporary, array, allow_pickle=False)
    kept = {key: getattr(dataset.facts, key) for key in KEPT}
    write_atomically(path / "facts.json", json.dumps(kept))
    write_atomically(path / "digest", dataset.digest)
    return path


def load_arrays(path: Path, name: str = "", source: str = "", facts: Facts | None = None) -> Dataset:
    """Return what `save_arrays` wrote. Images are mapped, not read: only pages that are used take memory."""
    x_train, x_test = (np.load(path / f"{part}.npy", mmap_mode="r") for part in ("x_train", "x_test"))
    y_train, y_test = (np.load(path / f"{part}.npy") for part in ("y_train", "y_test"))
    more = {each: np.load(path / f"{each}.npy") for each in MORE_ARRAYS if (path / f"{each}.npy").exists()}
    facts = facts or facts_from_json(json.loads((path / "facts.json").read_text()))
    return Dataset(name, source, x_train, y_train, x_test, y_test, (path / "digest").read_text(), facts, **more)


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Return the facts as JSON-able values."""
    return dataclasses.asdict(facts)


def facts_from_json(values: dict[str, Any]) -> Facts:
    """Return the facts that `facts_to_json` made values of; those that are missing are as by default."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    if fit := values.get("fit"):
        fields["fit"] = Fit(**fit | {"size": tuple(fit["size"])})
    return Facts(**fields)
