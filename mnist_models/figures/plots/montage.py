"""Many small images in one figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from PIL import Image

from mnist_models.figures.plots import style

MARGIN, GAP, HEAD, LINE, FRAME = 14, 12, 52, 17, 3
"""Pixels: around the tiles, between them, for the title, for a line of caption, and for a tile's frame."""

PAGE = round(style.WIDTH * style.DPI)  # pixels

SHARP = 3  # an image that is enlarged this many times or more is shown as squares, one per pixel

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """One image uint8 [h, w] or [h, w, 3] under `lines`, and then `marked` lines in the colour of its frame."""

    image: Images
    lines: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    colour: str | None = None


class _Picture(Artist):
    """An image as large as the figure, drawn as it is; Matplotlib's own images are resampled, which takes longer."""

    def __init__(self, image: Image.Image) -> None:
        super().__init__()
        self._pixels = np.asarray(image.convert("RGBA"))

    def draw(self, renderer: RendererBase) -> None:
        """Draw the pixels, whose last row is the lowest, at the lower left."""
        renderer.draw_image(renderer.new_gc(), 0, 0, self._pixels[::-1])


def place_of(columns: int) -> int:
    """Return how many pixels lie from the left edge of one tile to that of the next."""
    return (PAGE - 2 * MARGIN + GAP) // columns


def montage(title: str, tiles: Sequence[Tile | None], columns: int, lines: int) -> Figure:
    """Return a figure of `tiles`, None for an empty place, in rows of `columns`, each under up to `lines` lines.

    All images are one picture in the figure's own pixels, which is sharp and fast: axes for each would take a second.
    """
    width, place = PAGE, place_of(columns)
    pictures = [_resized(tile.image, place - GAP) if tile else None for tile in tiles]
    above = LINE * lines + FRAME + 3
    row_height = above + max((picture.height for picture in pictures if picture), default=0) + GAP
    height = HEAD + row_height * ceil(len(tiles) / columns) + MARGIN - GAP
    figure = style.new_figure(height / style.DPI, title)
    page = Image.new("RGB", (width, height), "white")
    for index, (tile, picture) in enumerate(zip(tiles, pictures, strict=True)):
        if not tile or not picture:
            continue
        x, y = MARGIN + index % columns * place, HEAD + index // columns * row_height + above
        if tile.colour:
            page.paste(tile.colour, (x - FRAME, y - FRAME, x + picture.width + FRAME, y + picture.height + FRAME))
        page.paste(picture, (x, y))
        for number, line in enumerate(reversed(tile.lines + tile.marked)):
            left, up = (x - FRAME) / width, 1 - (y - FRAME - 4 - LINE * number) / height
            colour = tile.colour if tile.colour and number < len(tile.marked) else style.MUTED
            figure.text(left, up, line, fontsize=style.SMALL, color=colour, va="baseline", parse_math=False)
    figure.add_artist(_Picture(page))
    return figure


def _resized(image: Images, room: int) -> Image.Image:
    """Return `image` so large that it fills `room` pixels, enlarged by a whole number where that nearly fills it."""
    height, width = image.shape[:2]
    scale = room / max(height, width)
    if scale >= SHARP or int(scale) >= 0.85 * scale:
        scale = int(scale)
    method = Image.Resampling.NEAREST if scale == int(scale) else Image.Resampling.BICUBIC
    return Image.fromarray(image).resize((max(1, round(width * scale)), max(1, round(height * scale))), method)
