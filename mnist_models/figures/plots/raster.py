"""Figures as PNG files. Pillow writes the text: with Matplotlib, text takes most of the time."""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont

from mnist_models.figures.plots.lettering import direction, font


@dataclass(frozen=True)
class Line:
    """A line of text to draw: where its baseline begins, and its angle in degrees, counter-clockwise."""

    position: tuple[float, float]  # pixels from the upper left
    text: str
    colour: tuple[int, ...]  # red, green and blue, 0 to 255
    font: FreeTypeFont
    angle: float


class _Renderer(RendererAgg):
    """Draws everything but text, which it collects as lines.

    Text is never read as a formula: a name may hold dollar signs.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.canvas.get_width_height(), figure.dpi)  # type: ignore[no-untyped-call]
        self.lines: list[Line] = []

    def draw_text(self, *arguments: Any, **_options: Any) -> None:
        """Collect one line of text; arguments as for `RendererBase.draw_text`."""
        context, x, y, text, properties, angle = arguments
        colour = tuple(round(255 * channel) for channel in context.get_rgb()[:3])
        self.lines.append(Line((x, y), text, colour, font(properties, self.dpi, text), angle))

    def get_text_width_height_descent(self, *arguments: Any, **_options: Any) -> tuple[float, float, float]:
        """Return the size of a line in pixels, and how much of its height lies below the baseline."""
        text, properties = arguments[:2]
        face = font(properties, self.dpi, text)
        _, top, right, bottom = face.getbbox(text, direction=direction(face), anchor="ls")
        return right, bottom - top, bottom


def png(figure: Figure) -> bytes:
    """Return `figure` as PNG."""
    renderer = _Renderer(figure)
    figure.draw(renderer)
    pixels = renderer.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", figure.canvas.get_width_height(), pixels).convert("RGB")
    pen = ImageDraw.Draw(image)
    for line in renderer.lines:
        if line.angle:
            _write_turned(image, line)
        else:
            _write(pen, line.position, line, line.colour)
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=3)  # half the time of the default for a file a few per cent larger
    return buffer.getvalue()


def _write(pen: ImageDraw.ImageDraw, position: tuple[float, float], line: Line, colour: int | tuple[int, ...]) -> None:
    pen.text(position, line.text, colour, line.font, anchor="ls", direction=direction(line.font))


def _write_turned(image: Image.Image, line: Line) -> None:
    bounds = line.font.getbbox(line.text, direction=direction(line.font), anchor="ls")
    reach = math.ceil(max(map(abs, bounds))) + 1
    mask = Image.new("L", (2 * reach, 2 * reach))
    _write(ImageDraw.Draw(mask), (reach, reach), line, 255)
    x, y = (round(value) - reach for value in line.position)
    image.paste(line.colour, (x, y), mask.rotate(line.angle, Image.Resampling.BICUBIC))
