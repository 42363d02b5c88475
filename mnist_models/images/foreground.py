"""The ink in a photo or scan, without its paper."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mnist_models.images.background import Grey, border, estimate_background, frame, resized
from mnist_models.images.colour import Picture, luminance, main_hue, shrunken
from mnist_models.images.sheet import Mask, Sheet, find_sheets

WORKING_SIDE = 1000  # larger images are shrunk to this longest side first; models see 128 pixels at most
LEAST_CONTRAST = 10.0  # grey levels by which ink must differ from paper at least
NOISE_LIMIT = 6.0  # ink must differ from paper by this many standard deviations of the paper's noise
EDGE = 0.15  # a pixel belongs to the ink from this share of full ink on
SPECK = 0.03  # separate spots with less of the largest part's ink are dirt; the dot of an i has about a tenth
FAINT = 30.0  # grey levels between ink and paper, below which the colours are looked at
MORE_COLOUR = 2.0  # times as strong must their difference be
LINE_STRENGTHS = (0.3, 0.5)  # of dark ink have the lines of ruled paper at most
MOST_INK = 0.8  # of the dark ink is on the sheet in any way of looking, in the one that is taken
GRAIN = 1 / 150  # spots smaller than a square whose side is this share of the picture's longer side are noise
LEAST_ON_SHEET = 0.05  # of the longer side of a sheet on a table is what is drawn on it; less is dirt
NARROWEST_SHEET = 0.5  # of its length is the width of a sheet
OUTLINE = 0.08  # of the picture's longer side: as much of a sheet's length is not looked at
RIM = 0.02  # of the longer side of such a sheet, along its outline: what reaches into it comes from beside the sheet


@dataclass(frozen=True, eq=False)
class Foreground:
    """What is drawn or written in a picture."""

    ink: Grey  # its strength, float32 [h, w] from 0 (paper) to 1 (full ink), cropped to its bounding box
    contrast: float  # grey levels between full ink and paper
    is_light: bool  # whether it is lighter than its paper


def find_foreground(picture: Picture) -> Foreground | None:
    """Return the ink on the largest sheet that has any, or else in the whole picture; None if nothing stands out.

    `picture` is uint8, [h, w] or [h, w, 3], of any size. Ink may be darker or lighter than the paper, faint, or of
    another colour only; the light may be uneven if it changes smoothly. Without a sheet within the picture, most of its
    border must show paper.
    """
    factor = min(1, WORKING_SIDE / max(picture.shape[:2]))
    small = shrunken(picture, factor) if picture.ndim == 3 else resized(picture, factor)
    # Ink is found in a smoothed picture, in which single noisy pixels do not stand out.
    blur = max(small.shape) / 400
    blank = []
    for sheet in find_sheets(luminance(small)):
        found = _clearest(small[sheet.area], partial(_on_sheet, sheet=sheet, blur=blur))
        if found is not None:
            return found
        blank.append(sheet)
    found = _clearest(small, partial(_on_page, blur=blur))
    return None if found is not None and any(_is_sheet(found, sheet, max(small.shape)) for sheet in blank) else found


def _is_sheet(found: Foreground, sheet: Sheet, longest: int) -> bool:
    """Return whether nothing but a blank sheet on a dark table was found; a broad 1 is narrower than sheets are."""
    height, width = found.ink.shape
    missing = max(height - sheet.inside.shape[0], width - sheet.inside.shape[1])
    solid = found.is_light and (found.ink >= EDGE).sum() >= sheet.inside.sum()
    return bool(solid and missing <= OUTLINE * longest and min(height, width) >= NARROWEST_SHEET * max(height, width))


def _clearest(picture: Picture, find: Callable[[Grey], Foreground | None]) -> Foreground | None:
    """Return what is found by brightness, or by colour if that makes much more of a difference."""
    found = find(luminance(picture))
    if picture.ndim == 2 or (found is not None and found.contrast >= FAINT):
        return found
    coloured = find(main_hue(picture))
    if found is None or (coloured is not None and coloured.contrast > MORE_COLOUR * found.contrast):
        return coloured
    return found


def _on_page(grey: Grey, blur: float) -> Foreground | None:
    """Return what is drawn on a sheet that fills the picture."""
    from scipy import ndimage

    difference = grey - estimate_background(grey)
    smooth = ndimage.gaussian_filter(difference, blur)
    noise, strength = _spread(border(smooth)), np.abs(smooth)
    threshold = _threshold(noise) / 2
    own, least = _without_lines(strength, threshold, frame(grey.shape, 0.05))
    if least > threshold:  # the paper is ruled
        difference, smooth = np.where(own, difference, 0), np.where(own, smooth, 0)
    return _ink(difference, smooth, noise, least)


def _on_sheet(grey: Grey, sheet: Sheet, blur: float) -> Foreground | None:
    """Return what is drawn on a sheet, if that is not dirt; what reaches its rim is not on it."""
    from scipy import ndimage

    longest = max(grey.shape)
    difference = np.where(sheet.inside, grey - sheet.paper(grey), 0)
    smooth = ndimage.gaussian_filter(difference, blur)
    noise = _spread(smooth[sheet.bare])
    core = ndimage.binary_erosion(sheet.inside, iterations=max(1, round(RIM * longest)), border_value=1)
    own, least = _without_lines(np.abs(smooth), _threshold(noise) / 2, sheet.inside & ~core)
    found = _ink(np.where(own, difference, 0), np.where(own, smooth, 0), noise, least)
    return found if found is not None and max(found.ink.shape) >= LEAST_ON_SHEET * longest else None


def _without_lines(strength: Grey, threshold: float, rim: Mask) -> tuple[Mask, float]:
    """Return what does not reach the `rim` [h, w], and the strength from which on that was looked at.

    That is `threshold`, or if most of the dark ink then hangs together with the rim by fainter lines, such as those of
    ruled paper, more than they have.
    """
    from scipy import ndimage

    full = float(np.percentile(strength, 99.9))
    strong = strength >= full / 2
    found: list[tuple[int, Mask, float]] = []
    for share in (0.0, *LINE_STRENGTHS):
        least = max(threshold, share * full)
        parts, count = ndimage.label(strength >= least, structure=np.ones((3, 3)))
        reaching = np.bincount(parts[rim], minlength=count + 1) > 0
        reaching[0] = False
        own = ~reaching[parts]
        found.append((int((strong & own).sum()), own, least))
        if not (strong & ~own).any():
            break
    most = max(amount for amount, _, _ in found)
    return next((own, least) for amount, own, least in found if amount >= MOST_INK * most)


def _spread(values: Grey) -> float:
    """Return the standard deviation of noise, which a few other values do not change."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else 0.0


def _threshold(noise: float) -> float:
    return max(LEAST_CONTRAST, NOISE_LIMIT * noise)


def _ink(difference: Grey, smooth: Grey, noise: float, least: float) -> Foreground | None:
    """Return the ink in the difference [h, w] between a picture and its paper, or None if it is blank.

    Ink differs by `least` grey levels from its paper, and clearly more than noise does.
    """
    threshold = _threshold(noise)
    light, dark = (np.maximum(signed - threshold, 0).sum() for signed in (smooth, -smooth))
    if light + dark == 0:
        return None
    if dark > light:
        difference, smooth = -difference, -smooth
    # The strength of the ink is taken from the sharp picture.
    full = float(np.percentile(difference[smooth >= max(threshold, float(smooth.max()) / 2)], 75))
    if full <= 0:  # only single pixels, which smoothing has spread over their neighbours
        return None
    mask = _main_parts(smooth >= max(threshold / 2, EDGE * full, least), smooth)
    if not mask.any():
        return None
    ink = np.where(mask, difference / full, 0).clip(0, 1)
    inside = ink >= EDGE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    return Foreground(cropped, full, bool(light > dark))


def _main_parts(mask: Mask, strength: Grey) -> Mask:
    """Return the `mask` [h, w] without specks, and without parts at the border unless the largest part is there."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    amounts = np.bincount(parts.ravel(), np.where(mask, strength, 0).ravel(), count + 1)
    kept = (amounts >= SPECK * amounts.max()) & (np.bincount(parts.ravel()) >= (GRAIN * max(mask.shape)) ** 2)
    at_border = np.isin(np.arange(count + 1), border(parts))
    if not at_border[amounts.argmax()]:
        kept &= ~at_border  # shadows in the corners, the edge of the paper, a stroke of the next digit
    kept[0] = False
    chosen: Mask = kept[parts]
    return chosen
