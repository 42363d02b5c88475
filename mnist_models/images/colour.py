"""What a coloured picture looks like in grey."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_models.images.background import Grey

SIDE = 200  # longest side of the shrunken picture in which colours are compared

Picture = npt.NDArray[Any]
"""Grey levels [h, w], or uint8 [h, w, 3] in red, green and blue."""


def shrunken(picture: Picture, factor: float) -> Picture:
    """Return `picture` [h, w, 3] made smaller by `factor`, averaged over areas."""
    height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def luminance(picture: Picture) -> Grey:
    """Return how bright a picture is, float32 [h, w] from 0 to 255."""
    grey = np.asarray(Image.fromarray(picture).convert("L")) if picture.ndim == 3 else picture
    return grey.astype(np.float32, copy=False)


def main_hue(picture: Picture) -> Grey:
    """Return `picture` [h, w, 3] in grey, float32 [h, w], so that its colours differ as much as they can.

    It is the first principal component of the colours without their brightness, the mean of red, green and blue.
    """
    few = shrunken(picture, min(1.0, SIDE / max(picture.shape))).reshape(-1, 3).astype(np.float64)
    few -= few.mean(axis=1, keepdims=True)
    few -= few.mean(axis=0)
    _, axes = np.linalg.eigh(few.T @ few)
    axis = axes[:, -1] - axes[:, -1].mean()
    grey: Grey = picture.astype(np.float32) @ axis.astype(np.float32)
    return grey
