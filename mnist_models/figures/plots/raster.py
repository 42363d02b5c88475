"""Figures as PNG files. Pillow writes the text: with Matplotlib, text takes most of the time."""

from functools import lru_cache
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont


class _Renderer(RendererAgg):
    """Draws everything but horizontal text, which it collects as arguments of `ImageDraw.text`.

    Text is never read as a formula: the name of a recipe may hold a dollar sign.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.canvas.get_width_height(), figure.dpi)  # type: ignore[no-untyped-call]
        self.texts: list[tuple[Any, ...]] = []

    def draw_text(self, *arguments: Any, **options: Any) -> None:
        """Collect one line of text; arguments as for `RendererBase.draw_text`."""
        context, x, y, line, properties, angle = arguments
        if angle:
            super().draw_text(*arguments, **options)  # type: ignore[no-untyped-call]
        else:
            colour = tuple(round(255 * channel) for channel in context.get_rgb()[:3])
            self.texts.append(((x, y), line, colour, _font(properties, self.dpi)))

    def get_text_width_height_descent(self, *arguments: Any, **_options: Any) -> tuple[float, float, float]:
        """Return the size of a line in pixels, and how much of its height lies below the baseline."""
        line, properties = arguments[:2]
        _, top, right, bottom = _font(properties, self.dpi).getbbox(line, anchor="ls")
        return right, bottom - top, bottom


@lru_cache
def _font(properties: FontProperties, dpi: float) -> ImageFont.FreeTypeFont:
    pixels = properties.get_size_in_points() * dpi / 72
    return ImageFont.truetype(findfont(properties), pixels, layout_engine=ImageFont.Layout.BASIC)


def png(figure: Figure) -> bytes:
    """Return `figure` as PNG."""
    renderer = _Renderer(figure)
    figure.draw(renderer)
    pixels = renderer.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", figure.canvas.get_width_height(), pixels).convert("RGB")
    pen = ImageDraw.Draw(image)
    for position, text, colour, font in renderer.texts:
        pen.text(position, text, colour, font, anchor="ls")
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=3)  # half the time of the default for a file a few per cent larger
    return buffer.getvalue()
