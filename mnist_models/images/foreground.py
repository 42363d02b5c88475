"""The ink in a photo or scan, without its paper."""

import numpy as np
import numpy.typing as npt

from mnist_models.errors import InvalidInput
from mnist_models.images.background import Grey, border, estimate_background, resized

WORKING_SIDE = 1000  # larger images are shrunk to this longest side first; models see 128 pixels at most
LEAST_CONTRAST = 10.0  # grey levels by which ink must differ from paper at least
NOISE_LIMIT = 6.0  # ink must differ from paper by this many standard deviations of the paper's noise
EDGE = 0.15  # a pixel belongs to the ink from this share of full ink on
SPECK = 0.03  # separate spots with less of the largest part's ink are dirt; the dot of an i has about a tenth
GRAIN = 1 / 150  # spots smaller than a square whose side is this share of the picture's longer side are noise


def find_foreground(image: npt.NDArray[np.uint8]) -> Grey:
    """Return the ink's strength, float32 [h', w'] from 0 (paper) to 1 (full ink), cropped to its bounding box.

    `image` is uint8 [h, w] of any size. Ink may be darker or lighter than the paper, and faint; the light may be
    uneven if it changes smoothly. Most of the border must show paper. Raise InvalidInput if nothing stands out.
    """
    from scipy import ndimage

    blank = InvalidInput("image must show something that stands out from its background, but it is blank.")
    grey = resized(image, min(1, WORKING_SIDE / max(image.shape)))
    difference = grey - estimate_background(grey)
    # The ink is found in a smoothed picture, in which single noisy pixels do not stand out, ...
    smooth = ndimage.gaussian_filter(difference, max(grey.shape) / 400)
    noise = 1.4826 * float(np.median(np.abs(border(smooth))))
    threshold = max(LEAST_CONTRAST, NOISE_LIMIT * noise)
    light, dark = (np.maximum(signed - threshold, 0).sum() for signed in (smooth, -smooth))
    if light + dark == 0:
        raise blank
    if dark > light:
        difference, smooth = -difference, -smooth
    # ... but its strength is taken from the sharp one.
    full = float(np.percentile(difference[smooth >= max(threshold, float(smooth.max()) / 2)], 75))
    if full <= 0:  # only single pixels, which smoothing has spread over their neighbours
        raise blank
    mask = _main_parts(smooth >= max(threshold / 2, EDGE * full), smooth)
    if not mask.any():
        raise blank
    ink = np.where(mask, difference / full, 0).clip(0, 1)
    inside = ink >= EDGE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _main_parts(mask: npt.NDArray[np.bool_], strength: Grey) -> npt.NDArray[np.bool_]:
    """Return the `mask` [h, w] without specks, and without parts at the border unless the largest part is there."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    amounts = np.bincount(parts.ravel(), np.where(mask, strength, 0).ravel(), count + 1)
    kept = (amounts >= SPECK * amounts.max()) & (np.bincount(parts.ravel()) >= (GRAIN * max(mask.shape)) ** 2)
    at_border = np.isin(np.arange(count + 1), border(parts))
    if not at_border[amounts.argmax()]:
        kept &= ~at_border  # shadows in the corners, the edge of the paper, a stroke of the next digit
    kept[0] = False
    chosen: npt.NDArray[np.bool_] = kept[parts]
    return chosen
