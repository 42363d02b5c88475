"""Pictures of any size and kind, brought to the one size and kind of a data set."""

from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_models.images.decode import decode

Way = Literal["letterbox", "crop"]
BACKGROUND = (255, 255, 255)  # what transparent parts are composed on


@dataclass(frozen=True)
class Fit:
    """The size and kind that all pictures get."""

    size: tuple[int, int]  # height and width in pixels
    channels: int  # 1: grey, 3: red, green and blue
    way: Way = "letterbox"  # the whole picture with margins, or its middle without

    @property
    def least_side(self) -> int:
        """The shorter side in pixels down to which a picture may be shrunk while it is decoded."""
        return 2 * max(self.size)


def fitted_file(file: BinaryIO, name: str, fit: Fit) -> npt.NDArray[np.uint8]:
    """Return the picture in a file as `fitted` does; raise InvalidInput as `decode`, naming the file `name`."""
    return fitted(decode(file, name, fit.least_side), fit)


def fitted(picture: Image.Image, fit: Fit) -> npt.NDArray[np.uint8]:
    """Return a decoded picture as uint8 [height, width], or [height, width, 3] for three channels.

    A picture of the right size is not touched. Margins have the median colour of the picture's border. A picture in
    colour gets its size before it becomes grey: as in a data set, of which it is known only then that none has colours.
    """
    image = _opaque(picture)
    grey = fit.channels == 1
    sized = _sized(image if grey and image.mode == "L" else image.convert("RGB"), fit)
    return grey_of(sized) if grey and sized.ndim == 3 else sized


def grey_of(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return RGB images uint8 [..., h, w, 3] in grey, uint8 [..., h, w], as Pillow's mode L."""
    weighted = images @ np.array([19595, 38470, 7471], np.uint32) + 0x8000
    return (weighted >> 16).astype(np.uint8)


def _sized(image: Image.Image, fit: Fit) -> npt.NDArray[np.uint8]:
    height, width = fit.size
    if image.size == (width, height):
        return np.asarray(image)
    factors = height / image.height, width / image.width
    factor = max(factors) if fit.way == "crop" else min(factors)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    return _cropped(small, fit.size) if fit.way == "crop" else _framed(small, fit.size)


def _opaque(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    page = Image.new("RGBA", picture.size, (*BACKGROUND, 255))
    page.alpha_composite(picture.convert("RGBA"))
    return page


def _cropped(small: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    top, left = ((small.shape[axis] - size[axis]) // 2 for axis in (0, 1))
    return small[top : top + size[0], left : left + size[1]]


def _framed(small: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    frame = np.empty((*size, *small.shape[2:]), np.uint8)
    frame[:] = np.median(edge, axis=0).round().astype(np.uint8)
    top, left = ((size[axis] - small.shape[axis]) // 2 for axis in (0, 1))
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame
