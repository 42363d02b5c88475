"""The brightness of the paper behind the ink."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.float32]

Number = TypeVar("Number", bound=np.generic)

PHOTO_SIDE = 64
"""Up to this shorter side a picture is taken for a drawing or a cut-out: uneven light would look like ink there."""

COARSE_SIDE = 64
"""Longest side of the shrunken picture to which the surface is fitted: light changes slowly over a picture."""

ROUNDS = 8


def border(image: npt.NDArray[Number], share: float = 0.05) -> npt.NDArray[Number]:
    """Return the pixels [m] along the edge of `image` [h, w]: a frame as wide as this share of its shorter side."""
    return image[_frame(image.shape, share)]


def estimate_background(grey: Grey) -> Grey:
    """Return the paper's brightness at each pixel of `grey` float32 [h, w]: constant if the picture is small.

    Else it is a quadratic surface, fitted first to the border, then to all pixels whose brightness is near it. Pixels
    of ink are far off and get no weight (Tukey's biweight: Beaton and Tukey, Technometrics 16 (1974) 147-185).
    """
    if min(grey.shape) <= PHOTO_SIDE:
        return np.full_like(grey, np.median(border(grey)))
    scale = COARSE_SIDE / max(grey.shape)
    height, width = (max(8, round(side * scale)) for side in grey.shape)
    coarse = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BOX))
    terms = _terms(*coarse.shape)
    frame = _frame(coarse.shape, 0.1)
    start = np.zeros(terms.shape[-1])
    start[0] = np.median(coarse[frame])
    rough = _fit(terms[frame], coarse[frame], start)
    surface = _fit(terms.reshape(-1, terms.shape[-1]), coarse.ravel(), rough)
    return (_terms(*grey.shape) @ surface.astype(np.float32)).astype(np.float32)


def _frame(shape: tuple[int, ...], share: float) -> npt.NDArray[np.bool_]:
    width = max(1, int(share * min(shape)))
    frame = np.ones(shape, bool)
    frame[width:-width, width:-width] = False
    return frame


def _terms(height: int, width: int) -> Grey:
    """Return the terms of a quadratic in the coordinates from -1 to 1: float32 [height, width, 6]."""
    y, x = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32), indexing="ij"
    )
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _fit(terms: Grey, values: Grey, surface: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the coefficients [6] of the robust fit that starts at `surface`."""
    for _ in range(ROUNDS):
        off = values - terms @ surface
        # At least two grey levels: on even paper the spread is 0, and any other pixel would lose its weight.
        spread = max(1.4826 * float(np.median(np.abs(off))), 2.0)
        weight = np.square(1 - np.square(np.minimum(np.abs(off) / (4.7 * spread), 1)))
        surface = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0].astype(np.float64)
    return surface
