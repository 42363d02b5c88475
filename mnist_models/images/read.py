"""Read a photo or scan."""

import stat
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_models.errors import InvalidInput
from mnist_models.images.png import without_extras
from mnist_models.shown_text import on_screen

MOST_BYTES = 50_000_000
MOST_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG")

GREYISH = 24  # levels by which the three colours of a pixel differ in a picture without colour; its light has a hue
COLOUR_SIDE = 200  # longest side of the shrunken picture in which that is looked for, nearly
PAGE_CONTRAST = 64  # a partly transparent image is a page with ink if its pixels differ this much, else ink alone


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read a PNG or JPEG of any size and mode: as grey levels, uint8 [h, w], or as RGB, [h, w, 3], if it has colours.

    The image is rotated as its EXIF data say. Transparent parts become paper: white, or black under light ink.
    The size is checked before anything is decoded, so that a small file cannot fill the memory.

    Raise InvalidInput if there is no such file, it is too large, is not a PNG or JPEG, or is damaged.
    """
    name = on_screen(path.name or str(path))
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InvalidInput(f"{name} does not exist; it must be a PNG or JPEG file.") from error
    except (OSError, ValueError) as error:  # ValueError: the path holds a zero byte
        raise InvalidInput(f"{name} cannot be read; it must be a PNG or JPEG file.") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"{name} is a folder or a device; it must be a PNG or JPEG file.")
    if status.st_size > MOST_BYTES:
        raise InvalidInput(f"{name} is larger than the {MOST_BYTES // 10**6} MB that are allowed.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large and odd files; below they are refused
        try:
            return _decode(name, path)
        except InvalidInput:
            raise
        except Image.DecompressionBombError as error:
            limit = f"more than the {MOST_PIXELS // 10**6} million pixels that are allowed"
            raise InvalidInput(f"{name} has {limit}.") from error
        except UnidentifiedImageError as error:
            raise InvalidInput(f"{name} is not an image in PNG or JPEG format, the only ones allowed.") from error
        except PermissionError as error:
            raise InvalidInput(f"{name} cannot be read; it must be a PNG or JPEG file.") from error
        except Exception as error:  # a damaged file can raise nearly anything in a decoder
            raise InvalidInput(f"{name} is damaged: it must be a complete PNG or JPEG file.") from error


def _decode(name: str, path: Path) -> npt.NDArray[np.uint8]:
    with path.open("rb") as file, Image.open(without_extras(file, MOST_BYTES), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        if not image.width * image.height:
            raise InvalidInput(f"{name} has no pixels; it must be at least 1 × 1.")
        image.load()
        upright = _turned(image)
    if upright.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255 instead of scaling
        return np.round(np.asarray(upright, np.float32) / 257).clip(0, 255).astype(np.uint8)
    if upright.has_transparency_data:
        return _on_paper(np.asarray(upright.convert("RGBA").convert("LA")))
    if upright.mode in ("1", "L"):
        return np.array(upright.convert("L"))
    coloured = upright if upright.mode == "RGB" else upright.convert("RGB")  # which would make a copy
    return np.array(coloured if _is_coloured(coloured) else coloured.convert("L"))


def _turned(image: Image.Image) -> Image.Image:
    """Return the image as its EXIF data say that the camera was held; as it is if they are damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # they can raise as much as pixels can, but the pixels are there
        return image


def _is_coloured(image: Image.Image) -> bool:
    channels = np.asarray(image.reduce(max(1, max(image.size) // COLOUR_SIDE)), np.int16)
    return bool(np.ptp(channels, axis=2).max() > GREYISH)


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
