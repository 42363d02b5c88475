"""Labels as people write them, as class numbers from 0 on with a name for each."""

import re
from collections.abc import Mapping
from typing import NoReturn

import numpy as np

from mnist_models.data.found import Part
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title, on_screen

LONGEST_NAME = 200  # characters of a class's name


def as_classes(
    labels: Mapping[Part, np.ndarray], stated: tuple[str, ...], where: Mapping[Part, str]
) -> tuple[dict[Part, np.ndarray], tuple[str, ...]]:
    """Return labels of all parts as int32 [n], and the classes' names; no names if they are the numbers from 0 on.

    Labels are whole numbers from 0 on (with or without gaps), texts, or one-hot; [n] or [n, 1]. Texts are sorted as
    people do it: 2 comes before 10. `stated` are the names of the classes 0, 1, 2 … where a file says them; `where`
    tells what each part is called in the error. Raise InvalidInput for anything else.
    """
    flat = {part: _flat(values, where[part]) for part, values in labels.items()}
    if len({values.dtype.kind == "U" for values in flat.values()}) > 1:
        _refuse(" and ".join(where.values()), "hold labels of one kind, but some are texts and some are numbers")
    if any(values.dtype.kind == "U" for values in flat.values()):
        return _of_texts(flat, where)
    values = np.unique(np.concatenate(list(flat.values())))
    if stated:
        if values[-1] >= len(stated):
            named = f"{len(stated)} class names"
            _refuse(next(iter(where.values())), f"hold labels below {len(stated)}, of {named}, but holds {values[-1]}")
        names = tuple(checked_name(name, "class_names") for name in stated)
        if len(set(names)) < len(names):
            _refuse("class_names", "differ from one another")
        kept = np.unique(np.concatenate([each for part, each in flat.items() if part != "test"]))
        if len(kept) == len(names):
            return flat, names
        return _renumbered(flat, values), tuple(names[value] for value in values)
    if np.array_equal(values, np.arange(len(values))):
        return flat, ()
    return _renumbered(flat, values), tuple(str(value) for value in values)


def checked_name(name: str, where: str) -> str:
    """Return a class's name on one line, without spaces around it; raise InvalidInput for one that is none."""
    shown = on_screen(name.strip())
    if not shown:
        _refuse(where, "name a class for each image, but one is empty")
    if len(shown) > LONGEST_NAME:
        _refuse(where, f"hold class names of at most {LONGEST_NAME} characters, but one has {len(shown):,}")
    return shown


def in_natural_order(names: set[str]) -> list[str]:
    """Return names in the order that people expect: 2 before 10."""
    return sorted(names, key=lambda name: ([_piece(each) for each in re.split(r"(\d+)", name)], name))


def _piece(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text.casefold())


def _of_texts(
    flat: Mapping[Part, np.ndarray], where: Mapping[Part, str]
) -> tuple[dict[Part, np.ndarray], tuple[str, ...]]:
    cleaned: dict[Part, np.ndarray] = {}
    for part, values in flat.items():
        unique, inverse = np.unique(values, return_inverse=True)
        cleaned[part] = np.array([checked_name(str(each), where[part]) for each in unique])[inverse]
    names = in_natural_order({str(name) for values in cleaned.values() for name in np.unique(values)})
    number = {name: index for index, name in enumerate(names)}
    result: dict[Part, np.ndarray] = {}
    for part, values in cleaned.items():
        unique, inverse = np.unique(values, return_inverse=True)
        result[part] = np.array([number[str(each)] for each in unique], np.int32)[inverse]
    if names == [str(index) for index in range(len(names))]:
        return result, ()
    return result, tuple(names)


def _renumbered(flat: Mapping[Part, np.ndarray], values: np.ndarray) -> dict[Part, np.ndarray]:
    return {part: np.searchsorted(values, each).astype(np.int32) for part, each in flat.items()}


def _flat(labels: np.ndarray, where: str) -> np.ndarray:
    """Return labels [n] as int32 or as texts."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf":
        labels = _from_one_hot(labels, where)
    if labels.ndim != 1:
        _refuse(where, f"be [n], [n, 1] or one-hot [n, classes], but has the shape {labels.shape}")
    if len(labels) == 0:
        _refuse(where, "hold at least one label, but is empty")
    if labels.dtype.kind == "S":
        return np.array([str(each, "utf-8", "surrogateescape") for each in labels.tolist()])
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind not in "biuf":
        _refuse(where, f"hold whole numbers or texts, but has the type {labels.dtype}")
    if not np.isfinite(labels).all() or not (labels == np.rint(labels)).all():
        _refuse(where, "hold whole numbers, but some values are not whole")
    if (low := labels.min()) < 0 or labels.max() >= 2**31:
        wrong = low if low < 0 else labels.max()
        _refuse(where, f"hold labels from 0 to {2**31 - 1:,}, but holds {wrong}")
    return labels.astype(np.int32)


def _from_one_hot(labels: np.ndarray, where: str) -> np.ndarray:
    if not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
        _refuse(where, "be one label per image, or one-hot with a single 1 in each row, but some rows are neither")
    numbers: np.ndarray = labels.argmax(axis=1)
    return numbers


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidInput(f"data: {in_title(where)} must {rule}.")
