"""The look that all figures share: sizes, colours and axes.

Figures are made without pyplot and without rcParams, because several threads draw at once.
"""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 110
WIDTH = 8.2
"""Inches; 902 pixels, about the width of MLflow's artifact viewer."""

TEXT = 9.5
SMALL = 8.5
TITLE = 12

INK = "#222222"
MUTED = "#666666"
GRID = "#e4e4e4"

# Okabe and Ito's palette, which people with any common colour vision deficiency can tell apart;
# its yellow is left out because it vanishes on white.
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PINK = "#cc79a7"
SKY = "#56b4e9"
AMBER = "#e69f00"
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER)

RIGHT = "#00795a"
WRONG = "#c03a00"
RIGHT_SIGN = "✓"
WRONG_SIGN = "✗"


def new_figure(height: float, title: str = "") -> Figure:
    """A white figure of the common width and `height` inches, with `title` at its top left."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    if title:
        figure.text(
            0.12 / WIDTH, 1 - 0.12 / height, title, ha="left", va="top", fontsize=TITLE, color=INK, parse_math=False
        )
    return figure


def new_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes whose edges lie the given inches inside the figure's, in the common look.

    Fixed margins instead of a layout engine, which would draw every figure twice.
    """
    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(labelsize=TEXT, color=MUTED, labelcolor=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def heading(axes: Axes, text: str, remark: str = "") -> None:
    """Write what `axes` show above them, with a muted remark behind it."""
    placed = axes.annotate(
        text, (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", fontsize=TEXT, color=INK
    )
    if remark:
        axes.annotate(
            remark,
            (1, 0),
            xycoords=placed,
            xytext=(6, 0),
            textcoords="offset points",
            va="bottom",
            fontsize=SMALL,
            color=MUTED,
        )


def legend(figure: Figure, axes: Axes) -> None:
    """Name the labelled series of `axes` in one row at the figure's top right, where no data can lie below it."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="upper right",
            ncols=len(handles),
            fontsize=SMALL,
            frameon=False,
            labelcolor=INK,
            borderaxespad=0.6,
            columnspacing=1.4,
        )


def note(axes: Axes, text: str) -> None:
    """Write `text` in the middle of `axes` that have nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=TITLE, color=MUTED)


def png(figure: Figure) -> bytes:
    """Encode `figure` as PNG."""
    buffer = BytesIO()
    # Level 3 takes half the time of the default for a file a few per cent larger.
    figure.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def percent(share: float) -> str:
    """`share` as a percentage with as many decimals as tell good classifiers apart; "–" for NaN."""
    if share != share:
        return "–"
    decimals = 0 if share in (0, 1) else 2 if share > 0.9 or share < 0.1 else 1
    return f"{share:.{decimals}%}".replace("%", " %")


def shortened(name: str, longest: int = 30) -> str:
    """The `name`, cut in its middle if it is longer than `longest` characters."""
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
