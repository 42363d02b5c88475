"""Photos of digits on sheets of paper, drawn: sheet and table, light and shadow, other things in view."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HEIGHT, WIDTH = 600, 800


@dataclass
class Scene:
    """What a photo shows. Colours are RGB; the sheet is a quadrilateral of (x, y) as shares of the picture."""

    sheet: tuple = ((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1))
    paper: tuple = (235, 233, 228)
    table: tuple = (60, 45, 35)
    ink: tuple = (40, 40, 45)
    place: tuple = (0.35, 0.3, 0.6, 0.7)  # left, top, right, bottom of the digit, as shares of the sheet
    things: list = field(default_factory=list)  # (kind, (left, top, right, bottom) as shares of the picture, colour)
    light: tuple = (0.0, 0.0)  # how much the light falls off to the right and downwards
    shadow: float = 1.0  # what a soft shadow across the picture leaves of the light
    grain: float = 0.0  # of the table, in grey levels
    noise: float = 3.0
    texture: float = 0.0


def photo(digit, scene, seed=0):
    """A photo [h, w, 3] of a digit, a square of uint8, light on dark; and the digit as it is in it, bool [h, w]."""
    random = np.random.default_rng(seed)
    size = (WIDTH, HEIGHT)
    picture = np.ones((HEIGHT, WIDTH, 3)) * np.array(scene.table, float)
    if scene.grain:
        lines = random.normal(0, scene.grain, HEIGHT)
        lines = np.convolve(lines, np.ones(5) / 2.2, "same")
        picture += lines[:, None, None]
    corners = [(x * WIDTH, y * HEIGHT) for x, y in scene.sheet]
    sheet = Image.new("L", size)
    ImageDraw.Draw(sheet).polygon(corners, fill=255)
    sheet = _soft(sheet)
    picture = _mixed(picture, scene.paper, sheet)
    strength = _on_quadrilateral(digit, corners, scene.place)
    picture = _mixed(picture, scene.ink, strength)
    for kind, box, colour in scene.things:
        thing = Image.new("L", size)
        scaled = [value * side for value, side in zip(box, (WIDTH, HEIGHT) * 2, strict=True)]
        if kind == "line":
            ImageDraw.Draw(thing).line(scaled, fill=255, width=18)
        elif kind == "frame":
            ImageDraw.Draw(thing).rectangle(scaled, outline=255, width=5)
        else:
            getattr(ImageDraw.Draw(thing), kind)(scaled, fill=255)
        picture = _mixed(picture, colour, _soft(thing))
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 1 - scene.light[0] * x / 2 - scene.light[1] * y / 2
    light *= scene.shadow + (1 - scene.shadow) / (1 + np.exp(6 * (x + 0.6 * y)))
    picture = picture * light[..., None] + random.normal(0, scene.noise, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), strength > 0.4


def _soft(mask):
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(1)), float) / 255


def _mixed(picture, colour, strength):
    return picture * (1 - strength[..., None]) + np.array(colour, float) * strength[..., None]


def _on_quadrilateral(digit, corners, place):
    """The strength [h, w] of a digit that lies at a place on a sheet, in perspective."""
    large = Image.fromarray(digit).resize((560, 560), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(6))
    large = large.point(lambda value: max(0, min(255, int((value - 90) * 3))))
    left, top, right, bottom = place
    shares = [(left, top), (right, top), (right, bottom), (left, bottom)]
    targets = [_at(corners, u, v) for u, v in shares]
    sources = [(0, 0), (560, 0), (560, 560), (0, 560)]
    rows, values = [], []
    for (x, y), (u, v) in zip(targets, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows), np.array(values))
    warped = large.transform((WIDTH, HEIGHT), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(warped, float) / 255


def _at(corners, u, v):
    (a, b, c, d) = (np.array(corner) for corner in corners)
    return (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
