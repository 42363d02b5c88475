"""Arrays of prepared images, as they come from Python or as numbers in JSON."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation


def prepared_array(given: npt.NDArray[Any], preparation: Preparation) -> npt.NDArray[np.uint8]:
    """Return images [n, height, width], or [n, height, width, 3], as uint8; they are taken as prepared already.

    Raise InvalidInput for another shape, and for values that are no whole numbers from 0 to 255.
    """
    shape = (*preparation.size, 3) if preparation.channels == 3 else preparation.size
    if given.shape[1:] != shape:
        wanted = ", ".join(["n", *map(str, shape)])
        raise InvalidInput(f"image: arrays must have the shape [{wanted}], but have {list(given.shape)}.")
    if given.dtype == np.uint8:
        return given
    try:
        numbers = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(
            "image: the values of arrays must be whole numbers from 0 to 255, but some are no numbers."
        ) from None
    whole = np.rint(numbers)
    if not ((numbers == whole) & (numbers >= 0) & (numbers <= 255)).all():
        raise InvalidInput("image: the values of arrays must be whole numbers from 0 to 255, but some are not.")
    return whole.astype(np.uint8)
