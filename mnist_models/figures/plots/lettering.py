"""Which font shows a text, how wide it is there, and what is left of one that is too wide.

Matplotlib's own font has Latin, Greek, Cyrillic, Hebrew and Arabic letters. For others, such as Chinese ones, a font of
this machine is looked for.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from PIL import ImageFont, features

from mnist_models.figures.plots import style

# How the names of fonts begin that have many alphabets, or one that Matplotlib's own lacks.
FAMILIES = (
    "Noto Sans CJK", "Noto Sans", "Source Han Sans", "WenQuanYi", "Droid Sans Fallback", "PingFang", "Hiragino Sans",
    "Apple SD Gothic", "Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic", "Nirmala", "Leelawadee",
    "Arial Unicode", "Unifont",
)  # fmt: skip

BREAKS = " _-/"  # where a name may be broken into two lines

_JOINED = {"Mn", "Mc"}  # marks that are drawn over, under or around the letter before them
_TO_THE_LEFT = {"R", "AL", "AN"}


def font(properties: FontProperties, dpi: float, text: str) -> ImageFont.FreeTypeFont:
    """Return the font in which `text` is drawn."""
    wanted = findfont(properties)
    file = wanted if text.isascii() else _font_with(frozenset(text), wanted) or wanted
    return _face(file, properties.get_size_in_points() * dpi / 72, not text.isascii() and _needs_layout(text))


@lru_cache(maxsize=64)
def _face(file: str, pixels: float, complex_layout: bool) -> ImageFont.FreeTypeFont:
    # The simple layout is faster, and is the same on each machine.
    engine = ImageFont.Layout.RAQM if complex_layout and _has_layout() else ImageFont.Layout.BASIC
    return ImageFont.truetype(file, pixels, layout_engine=engine)


def direction(face: ImageFont.FreeTypeFont) -> str | None:
    """Return in which direction a line goes, be it that it begins with a Hebrew name; for Pillow."""
    return "ltr" if face.layout_engine == ImageFont.Layout.RAQM else None


@lru_cache
def _has_layout() -> bool:
    return bool(features.check("raqm") and features.check("fribidi"))


def _needs_layout(text: str) -> bool:
    """Return whether letters change their order or place beside others, as Arabic and Indian ones do."""
    return any(
        unicodedata.category(each) in _JOINED or unicodedata.bidirectional(each) in _TO_THE_LEFT for each in text
    )


@lru_cache(maxsize=4096)
def _font_with(characters: frozenset[str], wanted: str) -> str | None:
    codes = {ord(each) for each in characters}
    return next((file for file in (wanted, *_other_fonts()) if codes <= _codes_of(file)), None)


@lru_cache(maxsize=1)
def _other_fonts() -> tuple[str, ...]:
    """Return the files of the fonts of this machine that may help, the most likely first."""
    upright = [each for each in fontManager.ttflist if each.style == "normal" and each.weight in (400, "normal")]
    return tuple(dict.fromkeys(each.fname for family in FAMILIES for each in upright if each.name.startswith(family)))


@cache
def _codes_of(file: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # removed since Matplotlib has listed it
        return frozenset()


def drawable(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as figures show them: a class whose letters no font here has is called by its number."""
    composed = [unicodedata.normalize("NFC", name) for name in class_names]  # file systems take accents apart
    return tuple(name if _can_be_drawn(name) else f"class {label}" for label, name in enumerate(composed))


def _can_be_drawn(text: str) -> bool:
    if text.isascii():
        return True
    has_font = _font_with(frozenset(text), findfont(FontProperties())) is not None
    return has_font and (_has_layout() or not _needs_layout(text))


def width(text: str, points: float = style.SMALL) -> float:
    """Return how many pixels of a figure `text` takes at a size in points."""
    face = font(FontProperties(size=points), style.DPI, text)
    return face.getlength(text, direction=direction(face))


def fitted(text: str, room: float, points: float = style.SMALL) -> str:
    """Return `text`, cut in its middle if it is wider than `room` pixels."""
    if width(text, points) <= room:
        return text
    kept = _most(len(text) - 1, lambda count: width(_cut(text, count), points) <= room)
    return _cut(text, kept)


def _most(highest: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to `highest` that fits, or 0; what is smaller than one that fits, fits."""
    return bisect_left(range(1, highest + 1), True, key=lambda number: not fits(number))


def _cut(text: str, kept: int) -> str:
    first, last = text[: kept - kept // 2], text[len(text) - kept // 2 :]
    while last and unicodedata.category(last[0]) in _JOINED:
        last = last[1:]
    return f"{first.rstrip()}…{last.lstrip()}"


def wrapped(text: str, room: float, lines: int, points: float = style.SMALL) -> tuple[str, ...]:
    """Return `text` in at most `lines` lines, one or two, of at most `room` pixels; cut in its middle if need be."""
    if lines < 2 or width(text, points) <= room:
        return (fitted(text, room, points),)
    first = max(1, _most(len(text) - 1, lambda count: width(text[:count], points) <= room))
    for place in reversed([place for place, each in enumerate(text[:first]) if each in BREAKS]):
        if width(rest := text[place + 1 :].lstrip(), points) <= room:
            return text[: place + 1].rstrip(), rest
    rest = text[first:]
    if width(rest, points) <= room:
        return text[:first], rest
    last = _most(len(rest) - 1, lambda count: width(f"…{rest[-count:]}", points) <= room)
    return text[:first], f"…{rest[len(rest) - last :].lstrip()}"
