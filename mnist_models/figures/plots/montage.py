"""Many small images in one figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from mnist_models.figures.plots import style

MARGIN, GAP, HEAD, LINE, FRAME = 14, 12, 52, 17, 3
"""Pixels: around the tiles, between them, for the title, for a line of caption, and for a tile's frame."""

SHARP = 3
"""An image that is enlarged this many times or more is shown as squares, one per pixel."""


@dataclass(frozen=True)
class Tile:
    """One image uint8 [h, w] with the lines over it, the last in `colour`, which also frames it if given."""

    image: npt.NDArray[np.uint8]
    lines: tuple[str, ...] = ()
    colour: str | None = None


class _Picture(Artist):
    """RGBA pixels uint8 [h, w, 4], drawn as they are; Matplotlib's own images are resampled first."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        super().__init__()
        self._pixels = pixels

    def draw(self, renderer: RendererBase) -> None:
        """Draw the pixels, whose last row is the lowest, at the lower left."""
        renderer.draw_image(renderer.new_gc(), 0, 0, self._pixels[::-1])


def montage(title: str, tiles: Sequence[Tile | None], columns: int, lines: int) -> Figure:
    """Return a figure of `tiles`, None for an empty place, in rows of `columns`, each under up to `lines` lines.

    All images are one picture in the figure's own pixels, which is sharp and fast: axes for each would take a second.
    """
    width = round(style.WIDTH * style.DPI)
    place = (width - 2 * MARGIN + GAP) // columns
    sizes = [_size(tile.image, place - GAP) for tile in tiles if tile]
    above = LINE * lines + FRAME + 3
    row_height = above + max((height for _, height in sizes), default=0) + GAP
    height = HEAD + row_height * ceil(len(tiles) / columns) + MARGIN - GAP
    figure = style.new_figure(height / style.DPI, title)
    page = np.full((height, width, 4), 255, np.uint8)
    for index, tile in enumerate(tiles):
        if tile is None:
            continue
        x, y = MARGIN + index % columns * place, HEAD + index // columns * row_height + above
        _paste(page, tile, x, y, place - GAP)
        for number, line in enumerate(reversed(tile.lines)):
            left, up = (x - FRAME) / width, 1 - (y - FRAME - 4 - LINE * number) / height
            colour = tile.colour if tile.colour and number == 0 else style.MUTED
            figure.text(left, up, line, fontsize=style.SMALL, color=colour, va="baseline")
    figure.add_artist(_Picture(page))
    return figure


def _size(image: npt.NDArray[np.uint8], room: int) -> tuple[int, int]:
    """Return width and height in pixels that fill `room`, enlarged by a whole number where that nearly fills it."""
    height, width = image.shape
    scale = room / max(height, width)
    if scale >= SHARP or int(scale) >= 0.85 * scale:
        scale = int(scale)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _paste(page: npt.NDArray[np.uint8], tile: Tile, x: int, y: int, room: int) -> None:
    width, height = _size(tile.image, room)
    scale = width / tile.image.shape[1]
    method = Image.Resampling.NEAREST if scale == int(scale) else Image.Resampling.BICUBIC
    if tile.colour:
        frame = [round(255 * channel) for channel in to_rgb(tile.colour)]
        page[y - FRAME : y + height + FRAME, x - FRAME : x + width + FRAME, :3] = frame
    page[y : y + height, x : x + width, :3] = np.asarray(
        Image.fromarray(np.ascontiguousarray(tile.image)).resize((width, height), method)
    )[:, :, None]
