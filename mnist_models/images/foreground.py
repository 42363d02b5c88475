"""Tell the ink in a photo or scan from its paper."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_models.errors import InvalidInput
from mnist_models.images.background import Grey, border, paper

WORKING_SIDE = 1000
"""Larger images are shrunk to this longest side first; models see 128 pixels at most."""

LEAST_CONTRAST = 10.0
"""Grey levels by which ink must differ from paper at least."""

NOISE_LIMIT = 6.0
"""Ink must differ from paper by this many standard deviations of the paper's noise."""

EDGE = 0.15
"""Share of the full ink's strength from which on a pixel belongs to the ink."""

SPECK = 0.03
"""Separate spots with less than this share of the largest part's ink are dirt; the dot of an i has about a tenth."""

GRAIN = 1 / 150
"""Spots smaller than a square with this share of the picture's longer side are noise."""


def find_ink(image: npt.NDArray[np.uint8]) -> Grey:
    """The ink's strength, float32 [h', w'] from 0 (paper) to 1 (full), cropped to its bounding box.

    Ink may be darker or lighter than its paper, and faint; light may fall unevenly as long as it changes
    smoothly. Paper is what most of the picture's border shows.

    Args:
        image: uint8 [h, w] of any size.

    Raises:
        InvalidInput: nothing stands out from the paper.
    """
    from scipy import ndimage

    grey = _shrunk(image)
    difference = grey - paper(grey)
    # Ink is looked for in a smoothed picture, in which single noisy pixels do not stand out, ...
    smooth = ndimage.gaussian_filter(difference, max(grey.shape) / 400)
    noise = 1.4826 * float(np.median(np.abs(border(smooth))))
    threshold = max(LEAST_CONTRAST, NOISE_LIMIT * noise)
    light, dark = (np.maximum(signed - threshold, 0).sum() for signed in (smooth, -smooth))
    if light + dark == 0:
        raise blank()
    if dark > light:
        difference, smooth = -difference, -smooth
    # ... but taken from the sharp one.
    full = float(np.percentile(difference[smooth >= max(threshold, float(smooth.max()) / 2)], 75))
    if full <= 0:  # single pixels, which smoothing has spread over neighbours that show paper
        raise blank()
    mask = _main_parts(smooth >= max(threshold / 2, EDGE * full), smooth)
    if not mask.any():
        raise blank()
    ink = np.where(mask, difference / full, 0).clip(0, 1)
    inside = ink >= EDGE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def blank() -> InvalidInput:
    """The refusal of an image on which there is nothing."""
    return InvalidInput("image must show something that stands out from its background, but it is blank.")


def _shrunk(image: npt.NDArray[np.uint8]) -> Grey:
    factor = max(image.shape) / WORKING_SIDE
    if factor <= 1:
        return image.astype(np.float32)
    height, width = (max(1, round(side / factor)) for side in image.shape)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX), np.float32)


def _main_parts(mask: npt.NDArray[np.bool_], strength: Grey) -> npt.NDArray[np.bool_]:
    """The `mask` [h, w] without specks, and without what comes in from the border beside ink that does not."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    amounts = np.bincount(parts.ravel(), np.where(mask, strength, 0).ravel(), count + 1)
    kept = (amounts >= SPECK * amounts.max()) & (np.bincount(parts.ravel()) >= (GRAIN * max(mask.shape)) ** 2)
    at_border = np.isin(np.arange(count + 1), border(parts))
    if not at_border[amounts.argmax()]:
        kept &= ~at_border  # shadows in the corners, the paper's edge, a neighbour's stroke
    kept[0] = False
    chosen: npt.NDArray[np.bool_] = kept[parts]
    return chosen
