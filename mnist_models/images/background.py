"""The brightness of the paper behind the ink."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.float32]
Surface = npt.NDArray[np.float64]  # [6], the coefficients of a quadratic in the coordinates from -1 to 1
Number = TypeVar("Number", bound=np.generic)

# Up to this shorter side a picture is taken for a drawing or a cut-out: uneven light would look like ink there.
PHOTO_SIDE = 64
# Longest side of the shrunken picture to which the surface is fitted: light changes slowly over a picture.
COARSE_SIDE = 64
ROUNDS = 8


def resized(image: npt.NDArray[Any], factor: float, least: int = 1) -> Grey:
    """Return `image` [h, w], uint8 or float32, resized by `factor`, to sides of at least `least` pixels.

    It is averaged over areas when it shrinks, interpolated when it grows.
    """
    height, width = (max(least, round(side * factor)) for side in image.shape)
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(image).resize((width, height), method), np.float32)


def border(image: npt.NDArray[Number], share: float = 0.05) -> npt.NDArray[Number]:
    """Return the pixels [m] along the edge of `image` [h, w]: a frame as wide as this share of its shorter side."""
    return image[frame(image.shape, share)]


def estimate_background(grey: Grey) -> Grey:
    """Return the paper's brightness at each pixel of `grey` float32 [h, w]: constant if the picture is small.

    Else it is a quadratic surface, fitted first to the border, then to all pixels whose brightness is near it. Pixels
    of ink are far off and get no weight (Tukey's biweight: Beaton and Tukey, Technometrics 16 (1974) 147-185).
    """
    if min(grey.shape) <= PHOTO_SIDE:
        return np.full_like(grey, np.median(border(grey)))
    coarse = resized(grey, COARSE_SIDE / max(grey.shape), least=8)
    terms = _terms(*coarse.shape)
    rough = fit_surface(coarse, frame(coarse.shape, 0.1))
    return surface_at(_fit(terms.reshape(-1, terms.shape[-1]), coarse.ravel(), rough), grey.shape)


def fit_surface(grey: Grey, where: npt.NDArray[np.bool_]) -> Surface:
    """Return the surface through most of the pixels of `grey` [h, w] that `where` [h, w] chooses."""
    terms = _terms(*grey.shape)[where]
    start = np.zeros(terms.shape[-1])
    start[0] = np.median(grey[where])
    return _fit(terms, grey[where], start)


def surface_at(surface: Surface, shape: tuple[int, ...]) -> Grey:
    """Return the brightness of a surface at each pixel of a picture of this shape, float32 [h, w]."""
    return (_terms(*shape) @ surface.astype(np.float32)).astype(np.float32)


def frame(shape: tuple[int, ...], share: float) -> npt.NDArray[np.bool_]:
    """Return which pixels of a picture of this shape `border` takes."""
    width = max(1, int(share * min(shape)))
    pixels = np.ones(shape, bool)
    pixels[width:-width, width:-width] = False
    return pixels


def _terms(height: int, width: int) -> Grey:
    """Return the terms of a quadratic in the coordinates from -1 to 1: float32 [height, width, 6]."""
    sides = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
    y, x = np.meshgrid(*sides, indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _fit(terms: Grey, values: Grey, surface: Surface) -> Surface:
    """Return the coefficients [6] of the robust fit that starts at `surface`."""
    for _ in range(ROUNDS):
        off = values - terms @ surface
        # At least two grey levels: on even paper the spread is 0, and any other pixel would lose its weight.
        spread = max(1.4826 * float(np.median(np.abs(off))), 2.0)
        weight = np.square(1 - np.square(np.minimum(np.abs(off) / (4.7 * spread), 1)))
        surface = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0].astype(np.float64)
    return surface
