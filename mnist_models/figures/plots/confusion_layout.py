"""Where the names of classes stand around a confusion matrix, and how much room they leave it."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mnist_models.figures.plots import style
from mnist_models.figures.plots.lettering import fitted, width

NUMBERED = 20  # up to this many classes, a matrix's cells hold their numbers
MOST_NAMES = 40  # beside a matrix: of more classes, every second, third … has its name there
SIDE, LEAST_SIDE = 5.3, 4.2  # inches, of the matrix
TOP, LEFT, RIGHT, BOTTOM = 0.75, 0.75, 2.15, 0.65  # inches around it, where the names are short
LONGEST = 1.9  # inches for the name of a class
LINE = 1.6 * style.TEXT / 72  # inches, of the list of mistakes

Pair = tuple[str, str, str]  # how many images, of which class, were taken for which


class Layout:
    """Sizes in inches, from the names of all classes and the most frequent mistakes."""

    def __init__(self, names: Sequence[str], pairs: Sequence[Pair]) -> None:
        self._count, self._pairs = len(names), pairs
        self._plain = tuple(names) == tuple(str(number) for number in range(len(names)))
        self._points = style.TEXT if self._count <= NUMBERED else style.SMALL
        self._places = range(0, self._count, ceil(self._count / MOST_NAMES))
        self._names = [fitted(names[place], LONGEST * style.DPI, self._points) for place in self._places]
        widest = max(width(name, self._points) for name in self._names) / style.DPI
        self.left = LEFT if self._plain else max(LEFT, widest + 0.5)
        list_width = max((width(_line(pair, None), style.TEXT) for pair in pairs), default=0) / style.DPI
        beside = min(SIDE, style.WIDTH - self.left - max(RIGHT, list_width + 0.3))
        self._is_beside = beside >= LEAST_SIDE
        self.side = beside if self._is_beside else SIDE
        self._turned = not self._plain and widest + 0.05 > self.side / len(self._names)
        self.height = TOP + self.side + (widest + 0.55 if self._turned else BOTTOM)
        if not self._is_beside:
            self._list_top = self.height + 0.1
            self.height = self._list_top + LINE * (1 + len(pairs)) + 0.1

    def label(self, axes: Axes) -> None:
        """Write the names beside the rows and under the columns."""
        if self._plain and self._count > NUMBERED:
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(10, integer=True))
            return
        places = [*self._places]
        look: dict[str, Any] = {"fontsize": self._points, "parse_math": False}
        axes.set_xticks(places, self._names, rotation=90 if self._turned else 0, **look)
        axes.set_yticks(places, self._names, **look)

    def list_pairs(self, axes: Axes) -> None:
        """List the most frequent mistakes on the right, or under the matrix where they are too wide for that."""
        room = None if self._is_beside else (style.WIDTH - 0.3) * style.DPI
        lines = [_line(pair, room) for pair in self._pairs]
        text = "\n".join(["most frequent", *lines] if lines else ["no mistakes"])
        look: dict[str, Any] = {"va": "top", "fontsize": style.TEXT, "linespacing": 1.6}
        if self._is_beside:
            style.write(axes, text, (1, 1), "axes fraction", (14, 0), **look)
        else:
            under = 0.12 / style.WIDTH, 1 - self._list_top / self.height
            style.write(axes, text, under, "figure fraction", **look)


def _line(pair: Pair, room: float | None) -> str:
    """Return a mistake in words, with names that share `room` pixels."""
    count, label, prediction = pair
    if room is not None:
        each = (room - width(f"{count} ×   taken for ", style.TEXT)) / 2
        label, prediction = (fitted(name, each, style.TEXT) for name in (label, prediction))
    return f"{count} ×  {label} taken for {prediction}"
