"""Kinds of photos, each different for each seed."""

import numpy as np
from photos import Scene

WHITE, DARK_TABLE = (236, 233, 226), (62, 46, 36)


def _quadrilateral(random, centre, size, angle=0.0, perspective=0.0):
    """Corners as shares of a 4 : 3 picture, of a sheet turned by some degrees."""
    width, height = size
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    corners[:2, 0] *= 1 - perspective
    turn = np.deg2rad(angle)
    aspect = np.array([4 / 3, 1])
    turned = (corners * aspect) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return tuple(map(tuple, turned / aspect + np.array(centre)))


def _digit_place(random, size, share):
    """A square on a sheet of this size (shares of the picture) whose side is a share of the sheet's shorter side."""
    width, height = size[0] * 4 / 3, size[1]
    side = share * min(width, height)
    u, v = side / width, side / height
    left, top = random.uniform(0.08, max(0.09, 0.92 - u)), random.uniform(0.08, max(0.09, 0.92 - v))
    return (left, top, left + u, top + v)


def _sheet_scene(random, size, centre, angle=0.0, perspective=0.0, share=(0.3, 0.6), **more):
    return Scene(
        sheet=_quadrilateral(random, centre, size, angle, perspective),
        place=_digit_place(random, size, random.uniform(*share)),
        **({"paper": WHITE, "table": DARK_TABLE} | more),
    )


def fills(random, **more):
    side = random.uniform(0.3, 0.7)
    left, top = random.uniform(0.15, 0.85 - 0.75 * side), random.uniform(0.12, 0.88 - side)
    outside = Scene(paper=WHITE, **more)
    outside.sheet = ((-0.05, -0.05), (1.05, -0.05), (1.05, 1.05), (-0.05, 1.05))
    outside.place = tuple((value + 0.05) / 1.1 for value in (left, top, left + 0.75 * side, top + side))
    return outside


def on_table(random, **more):
    size = random.uniform(0.4, 0.8, 2)
    centre = random.uniform(size / 2 + 0.03, 0.97 - size / 2)
    return _sheet_scene(random, size, centre, **more)


def tilted(random, **more):
    size = random.uniform(0.45, 0.6, 2)
    return _sheet_scene(
        random, size, random.uniform(0.45, 0.55, 2), angle=random.uniform(-12, 12),
        perspective=random.uniform(0, 0.25), **more,
    )  # fmt: skip


def cut(random, **more):
    """The table's edge is in view on one or two sides."""
    size = random.uniform(1.0, 1.2, 2)
    shift = random.choice([-1, 1], 2) * random.uniform(0.15, 0.3, 2)
    shift[random.integers(2)] *= random.integers(2)
    scene = _sheet_scene(random, size, 0.5 + shift, angle=random.uniform(-6, 6), share=(0.25, 0.35), **more)
    # The digit is near the picture's middle.
    target = random.uniform(0.42, 0.58, 2) - np.sign(shift) * -0.05
    corners = np.array(scene.sheet)
    u, v = ((target - corners[0]) / (corners[2] - corners[0])).clip(0.25, 0.75)
    side = random.uniform(0.15, 0.2)
    scene.place = (u - side, v - side * 4 / 3, u + side, v + side * 4 / 3)
    return scene


def with_things(random, **more):
    scene = tilted(random, **more)
    scene.things = [
        ("line", (0.03, 0.05, 0.06, 0.8), (20, 40, 120)),
        ("ellipse", (0.88, 0.05, 0.98, 0.18), (180, 140, 60)),
        ("rectangle", (0.86, 0.6, 0.99, 0.97), (15, 15, 18)),
    ][: random.integers(1, 4)]
    return scene


EQUALLY_BRIGHT = [((200, 60, 60), (60, 128, 60)), ((60, 130, 60), (205, 60, 50)), ((60, 90, 230), (130, 90, 60))]


def equally_bright(random, kind=fills):
    ink, paper = EQUALLY_BRIGHT[random.integers(len(EQUALLY_BRIGHT))]
    scene = kind(random)
    scene.ink, scene.paper = ink, paper
    return scene


def framed(random):
    """A page that fills the picture, with a box drawn around the digit, as forms have."""
    scene = fills(random)
    left, top, right, bottom = (value * 1.1 - 0.05 for value in scene.place)
    scene.things = [("frame", (left - 0.03, top - 0.04, right + 0.03, bottom + 0.04), (60, 60, 70))]
    return scene


def ruled(random, kind=on_table):
    """Lines across the paper, some through the digit."""
    scene = kind(random)
    (left, top), (right, _), (_, bottom), _ = scene.sheet
    heights = np.arange(top + 0.06, bottom - 0.02, 0.06)
    scene.things = [("rectangle", (left, y, right, y + 0.003), (170, 180, 215)) for y in heights]
    return scene


def overlapped(random):
    """A pen lies across the sheet's edge."""
    scene = on_table(random)
    (left, top), (right, _), (_, bottom), _ = scene.sheet
    line = (left - 0.1, top + 0.02, left + 0.08 * (right - left), top + 0.6 * (bottom - top))
    scene.things = [("line", line, (20, 40, 120))]
    return scene


KINDS = {
    "fills": fills,
    "fills, shaded": lambda r: fills(r, light=(0.5, 0.3), shadow=0.75),
    "fills, chalk": lambda r: _chalk(fills(r)),
    "in a drawn box": framed,
    "fills, ruled": lambda r: ruled(r, fills),
    "ruled": ruled,
    "under a pen": overlapped,
    "on a table": on_table,
    "tilted": tilted,
    "cut by the picture": cut,
    "beside other things": with_things,
    "on wood": lambda r: on_table(r, grain=12.0, table=(120, 85, 55)),
    "on a table, shaded": lambda r: tilted(r, light=(0.5, 0.3), shadow=0.7),
    "chalk on slate": lambda r: _chalk(on_table(r, table=(190, 165, 140))),
    "blue ink": lambda r: on_table(r, ink=(50, 70, 190)),
    "red ink": lambda r: tilted(r, ink=(200, 40, 50)),
    "pencil": lambda r: on_table(r, ink=(190, 188, 184)),
    "equally bright": equally_bright,
    "equally bright, on a table": lambda r: equally_bright(r, on_table),
    "light table": lambda r: on_table(r, table=(190, 180, 165)),
    "black table": lambda r: tilted(r, table=(12, 12, 12)),
    "large sheet": lambda r: _sheet_scene(r, (0.92, 0.92), (0.5, 0.5), angle=r.uniform(-2, 2)),
    "small sheet": lambda r: _sheet_scene(r, (0.25, 0.3), r.uniform(0.25, 0.75, 2), share=(0.5, 0.7)),
}


def _chalk(scene):
    scene.paper, scene.ink = (42, 48, 45), (225, 225, 215)
    return scene
