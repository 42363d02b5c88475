"""Figures as PNG files. Pillow writes the text: with Matplotlib, text takes most of the time."""

from functools import lru_cache
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont


class _Renderer(RendererAgg):
    """Draws everything but horizontal text, and collects that text as arguments of `ImageDraw.text`.

    Text is never read as a formula: the name of a recipe may hold a dollar sign.
    """

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)  # type: ignore[no-untyped-call]
        self.texts: list[tuple[tuple[float, float], str, tuple[int, ...], ImageFont.FreeTypeFont]] = []

    def draw_text(self, *arguments: Any, **options: Any) -> None:
        """Collect one line of text; arguments as for `RendererBase.draw_text`."""
        context, x, y, line, properties, angle = arguments
        if angle:
            super().draw_text(*arguments, **options)  # type: ignore[no-untyped-call]
        else:
            colour = tuple(round(255 * channel) for channel in context.get_rgb()[:3])
            self.texts.append(((x, y), line, colour, self._font(properties)))

    def get_text_width_height_descent(self, *arguments: Any, **_options: Any) -> tuple[float, float, float]:
        """Return the size of a line in pixels, and how much of its height lies below the baseline."""
        line, properties = arguments[:2]
        box = self._font(properties).getbbox(line, anchor="ls")
        return box[2], box[3] - box[1], box[3]

    def _font(self, properties: FontProperties) -> ImageFont.FreeTypeFont:
        return _font(findfont(properties), properties.get_size_in_points() * self.dpi / 72)


@lru_cache
def _font(file: str, pixels: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, pixels, layout_engine=ImageFont.Layout.BASIC)


def png(figure: Figure) -> bytes:
    """Return `figure` as PNG."""
    width, height = figure.canvas.get_width_height()
    renderer = _Renderer(width, height, figure.dpi)
    figure.draw(renderer)
    pixels = renderer.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", (width, height), pixels).convert("RGB")
    pen = ImageDraw.Draw(image)
    for position, text, colour, font in renderer.texts:
        pen.text(position, text, colour, font, anchor="ls")
    buffer = BytesIO()
    # Level 3 takes half the time of the default for a file a few per cent larger.
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
