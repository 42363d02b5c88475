"""The common look of all figures: sizes, colours, axes and text."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

Point = tuple[float, float]

DPI = 110
WIDTH = 8.2  # inches; 902 pixels, about the width of MLflow's artifact viewer
TEXT, SMALL, TITLE = 9.5, 8.5, 12  # points
INK, MUTED, GRID = "#222222", "#666666", "#e4e4e4"

# Okabe and Ito's palette, which people with any common colour vision deficiency can tell apart;
# its yellow is left out because it vanishes on white.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
BLUE, ORANGE, GREEN, PINK, SKY, AMBER = SERIES
RIGHT, RIGHT_SIGN = "#00795a", "✓"
WRONG, WRONG_SIGN = "#c03a00", "✗"

LEGEND: dict[str, Any] = {"fontsize": SMALL, "frameon": False, "labelcolor": INK}
DASHED = (0, (5, 3))


def new_figure(height: float, title: str = "") -> Figure:
    """Return a white figure of the common width and `height` inches, with `title` at its top left."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    figure.text(0.12 / WIDTH, 1 - 0.12 / height, title, va="top", fontsize=TITLE, color=INK)
    return figure


def new_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Return axes in the common look, whose edges lie the given inches inside the edges of `figure`.

    A layout engine would find the margins itself, but it draws every figure twice.
    """
    width, height = figure.get_size_inches()
    inside = (width - left - right) / width, (height - bottom - top) / height
    axes = figure.add_axes((left / width, bottom / height, *inside))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(labelsize=TEXT, color=MUTED, labelcolor=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=TEXT, color=INK)
    return axes


def write(axes: Axes, text: str, at: Point, coords: Any = "data", offset: Point = (0, 0), **look: Any) -> Annotation:
    """Write `text` `offset` points from the position `at`; `look` are properties of Matplotlib's text."""
    properties: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "center", "parse_math": False} | look
    return axes.annotate(text, at, xycoords=coords, xytext=offset, textcoords="offset points", **properties)


def heading(axes: Axes, text: str, remark: str = "") -> None:
    """Write above `axes` what they show, followed by a muted remark."""
    title = write(axes, text, (0, 1), "axes fraction", (0, 6), fontsize=TEXT, va="baseline")
    if remark:
        write(axes, remark, (1, 0), title, (6, 0), color=MUTED, va="bottom")


def legend(figure: Figure, axes: Axes) -> None:
    """List the labelled series of `axes` in one row at the top right of `figure`, where it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles, labels, loc="upper right", ncols=len(handles), borderaxespad=0.6, columnspacing=1.4, **LEGEND
        )


def note(axes: Axes, text: str) -> None:
    """Write `text` in the middle of `axes` without data."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=TITLE, color=MUTED)


def percent(share: float) -> str:
    """Return `share` as a percentage, with enough decimals to tell good classifiers apart; "–" for NaN."""
    if share != share:
        return "–"
    decimals = 0 if share in (0, 1) else 2 if share > 0.9 or share < 0.1 else 1
    return f"{share:.{decimals}%}".replace("%", " %")
