"""Which value a pixel has at most, 1 or 255: stated by the user, or decided from types and all values of both parts.

A single value says little. A resize leaves some that lie a little outside, a damaged pixel lies far outside, and a dark
image holds small ones only. So what is not evident is refused, with the way to state it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from mnist_models.errors import InvalidInput

STATED = "pixel_max"  # an array of an .npz file that holds the one number
OVERSHOOT = 0.35  # of the most: so far below 0 and above it may values lie; they are clipped
MOST_OUTSIDE = 0.1  # of the sum of all magnitudes; bicubic and Lanczos resizes leave up to 0.07
LEAST_REACHED = 0.5  # of the most, by the largest value
FEW = 0.01  # of the pixels that are not black on either scale
VISIBLE = 1 / 510  # on the scale from 0 to 1, what is less becomes 0
PLAIN_PIXELS = "integers from 0 to 255"  # what is decided for most data sets, in words
IMAGE_FILES = "image files"
ALLOWED = "from 0 to 255, or floats from 0 to 1"
CHUNK = 256  # images that are looked at together

REMEDY = (
    f"; say which is the largest value that a pixel can have by an array {STATED} in an .npz file: {STATED}=1 or"
    f" {STATED}=255"
)


@dataclass(frozen=True)
class PixelScale:
    """What was decided."""

    most: Mapping[str, float]  # array → the largest value that a pixel can have
    words: str  # the same for the summary


@dataclass(frozen=True)
class _Values:
    """The distribution of the values of one array, or of several together; the counts are those of floats."""

    low: float
    high: float
    visible: int  # how many are not black on the scale from 0 to 1
    bright: int  # how many of these are too large for that scale

    def __add__(self, other: "_Values") -> "_Values":
        low, high = min(self.low, other.low), max(self.high, other.high)
        return _Values(low, high, self.visible + other.visible, self.bright + other.bright)

    @property
    def run(self) -> str:
        return f"run from {self.low:.8g} to {self.high:.8g}"


def pixel_scale(images: Mapping[str, np.ndarray], source: str, stated: np.ndarray | None = None) -> PixelScale:
    """Return the scale of arrays of finite integers or floats, of any shape and by name; `stated` goes before all.

    Raise InvalidInput if the values fit no scale, or could be meant in two ways.
    """
    values = {name: _values(array) for name, array in images.items()}
    if stated is not None:
        white = _number(stated, source)
        most, words = dict.fromkeys(images, white), f"from 0 to {white:g}, as {STATED} says"
    else:
        most = {name: 255.0 for name, array in images.items() if array.dtype.kind in "iu"}
        for name in most:
            _refuse_binary(values[name], f"{source}: {name}")
        floats = {name: found for name, found in values.items() if name not in most}
        most |= dict.fromkeys(floats, _of_floats(floats, source)) if floats else {}
        words = _words(images, most)
    clipped = ""
    for name, array in images.items():
        if _is_outside(array, values[name], most[name]):
            _refuse_range(f"{source}: {name}", values[name], ALLOWED if stated is None else words)
        if values[name].low < 0 or values[name].high > most[name]:
            clipped += f"; {name} {values[name].run}, which is clipped"
    return PixelScale(most, words + clipped)


def _values(array: np.ndarray) -> _Values:
    if array.dtype.kind != "f":
        return _Values(float(array.min()), float(array.max()), 0, 0)
    found = _Values(np.inf, -np.inf, 0, 0)
    for start in range(0, len(array), CHUNK):
        piece = array[start : start + CHUNK]
        visible, bright = (int(np.count_nonzero(piece > least)) for least in (VISIBLE, 1 + OVERSHOOT))
        found += _Values(float(piece.min()), float(piece.max()), visible, bright)
    return found


def _number(stated: np.ndarray, source: str) -> float:
    if stated.size != 1 or not np.isfinite(stated).all() or not float(stated.reshape(())) > 0:
        _refuse(f"{source}: {STATED}", "be one number above 0, such as 1 or 255")
    return float(stated.reshape(()))


def _refuse_binary(found: _Values, where: str) -> None:
    if found.low >= 0 and found.high == 1:
        _refuse(where, "show whether its 1 is white or nearly black, but its integers reach no more", REMEDY)


def _of_floats(parts: Mapping[str, _Values], source: str) -> float:
    """Return 1 or 255."""
    first, *others = parts.values()
    found, where = sum(others, first), f"{source}: {' and '.join(parts)}"
    if found.low < 0 and -found.low > OVERSHOOT * (255 if found.high > 1 + OVERSHOOT else 1):
        _refuse_range(where, found)
    if found.low == found.high == 0:
        return 1.0
    if found.high > 255 * (1 + OVERSHOOT):
        _refuse_range(where, found)
    if LEAST_REACHED <= found.high <= 1 + OVERSHOOT:
        return 1.0
    if found.high < LEAST_REACHED * 255:
        _refuse(where, f"hold floats from 0 to 1 or from 0 to 255, but they {found.run}, which is neither", REMEDY)
    if found.bright < FEW * found.visible:
        most = f"{found.bright:,} of the {found.visible:,} pixels that are not black"
        _refuse(where, f"hold floats from 0 to 1 or from 0 to 255, but only {most} are above 1", REMEDY)
    for name, part in parts.items():
        if 0 < part.high <= 1 + OVERSHOOT:
            _refuse(where, f"have one scale, but {name} reaches {part.high:.8g} and the other {found.high:.8g}", REMEDY)
    return 255.0


def _is_outside(array: np.ndarray, found: _Values, most: float) -> bool:
    """Return whether values lie outside, by more or more of them than a resize leaves."""
    if found.low >= 0 and found.high <= most:
        return False
    if array.dtype.kind != "f" or found.low < -OVERSHOOT * most or found.high > (1 + OVERSHOOT) * most:
        return True
    outside = total = 0.0
    for start in range(0, len(array), CHUNK):
        piece = array[start : start + CHUNK].astype(np.float64)
        outside += float(np.abs(piece - np.clip(piece, 0, most)).sum())
        total += float(np.abs(piece).sum())
    return outside > MOST_OUTSIDE * total


def _words(images: Mapping[str, np.ndarray], most: Mapping[str, float]) -> str:
    each = {
        name: f"{'floats' if images[name].dtype.kind == 'f' else 'integers'} from 0 to {limit:g}"
        for name, limit in most.items()
    }
    if len(set(each.values())) == 1:
        return next(iter(each.values()))
    return ", ".join(f"{name} {each[name]}" for name in images)


def _refuse_range(where: str, found: _Values, allowed: str = ALLOWED) -> NoReturn:
    _refuse(where, f"hold values {allowed}, but they {found.run}")


def _refuse(where: str, rule: str, remedy: str = "") -> NoReturn:
    raise InvalidInput(f"data: {where} must {rule}{remedy}.")
