"""Read a photo or scan."""

import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ImageChops import darker, lighter, subtract

from mnist_models.errors import InvalidInput
from mnist_models.images.decode import IN_WORDS, MOST_BYTES, decode
from mnist_models.shown_text import on_screen

GREYISH = 24  # levels by which the three colours of a pixel differ in a picture without colour; its light has a hue
COLOUR_SIDE = 200  # longest side of the shrunken picture in which that is looked for, nearly
PAGE_CONTRAST = 64  # a partly transparent image is a page with ink if its pixels differ this much, else ink alone


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read an image file of any size and mode: as grey levels, uint8 [h, w], or as RGB, [h, w, 3], if it has colours.

    The image is rotated as its EXIF data say. Transparent parts become paper: white, or black under light ink.
    The size is checked before anything is decoded, so that a small file cannot fill the memory.

    Raise InvalidInput if there is no such file, it is too large, is of no format that `decode` takes, or is damaged.
    """
    name = on_screen(path.name or str(path))
    with opened(path) as file:
        return grey_or_colour(decode(file, name))


def opened(path: Path) -> BinaryIO:
    """Open an image file; raise InvalidInput if there is none, or it is too large."""
    name = on_screen(path.name or str(path))
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InvalidInput(f"{name} does not exist; it must be a {IN_WORDS} file.") from error
    except (OSError, ValueError) as error:  # ValueError: the path holds a zero byte
        raise InvalidInput(f"{name} cannot be read; it must be a {IN_WORDS} file.") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"{name} is a folder or a device; it must be a {IN_WORDS} file.")
    if status.st_size > MOST_BYTES:
        raise InvalidInput(f"{name} is larger than the {MOST_BYTES // 10**6} MB that are allowed.")
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read; it must be a {IN_WORDS} file.") from error


def grey_or_colour(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return a decoded picture as uint8 [h, w], or as [h, w, 3] if it has colours."""
    if image.has_transparency_data:
        return _on_paper(np.asarray(image.convert("RGBA").convert("LA")))
    return np.array(image if image.mode == "RGB" and is_coloured(image) else image.convert("L"))


def is_coloured(image: Image.Image) -> bool:
    """Return whether an RGB picture shows more than one hue of grey."""
    red, green, blue = image.reduce(max(1, max(image.size) // COLOUR_SIDE)).split()
    most, least = lighter(lighter(red, green), blue), darker(darker(red, green), blue)
    return bool(np.asarray(subtract(most, least)).max() > GREYISH)


def _on_paper(grey_alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Put grey levels with opacity, uint8 [h, w, 2], on paper against which the ink can be seen."""
    grey, alpha = grey_alpha[..., 0], grey_alpha[..., 1]
    visible = grey[alpha >= alpha.max() / 2]
    low, middle, high = np.percentile(visible, (2, 50, 98))
    light = bool(middle >= 128)
    # A page continues in its own shade; ink alone needs the opposite of its shade.
    white = light if high - low >= PAGE_CONTRAST else not light
    opacity = alpha.astype(np.float32) / 255
    return np.round(grey * opacity + (255 if white else 0) * (1 - opacity)).astype(np.uint8)
