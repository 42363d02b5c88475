"""An image file of any common format, opened for use: checked before it is decoded, upright, in 8 bits a channel."""

import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_models.errors import InvalidInput
from mnist_models.images.png import without_extras

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF")  # of a GIF or TIFF with several pictures: the first
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
IN_WORDS = "PNG, JPEG, BMP, WebP, GIF or TIFF"

MOST_BYTES = 50_000_000
MOST_PIXELS = 40_000_000


def decode(file: BinaryIO, name: str, least_side: int = 0) -> Image.Image:
    """Return the picture in a file, of any format in FORMATS: its mode is L, LA, RGB or RGBA.

    It is turned as its EXIF data say. 16 bits become 8; palettes and CMYK become RGB. Its size is checked before
    anything is decoded, so that a small file cannot fill the memory. `name` is the file's in the error.
    With `least_side` a JPEG may come smaller, but with sides of so many pixels at least: that is much faster.

    Raise InvalidInput if it is too large, has no pixels, is of no such format, or is damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large and odd files; below they are refused
        try:
            return _decode(file, name, least_side)
        except InvalidInput:
            raise
        except Image.DecompressionBombError as error:
            limit = f"more than the {MOST_PIXELS // 10**6} million pixels that are allowed"
            raise InvalidInput(f"{name} has {limit}.") from error
        except UnidentifiedImageError as error:
            raise InvalidInput(f"{name} is not an image in {IN_WORDS} format, the only ones allowed.") from error
        except Exception as error:  # a damaged file can raise nearly anything in a decoder
            raise InvalidInput(f"{name} is damaged: it must be a complete {IN_WORDS} file.") from error


def size_of(file: BinaryIO, name: str) -> tuple[int, int]:
    """Return height and width in pixels, from the file's header; raise InvalidInput as `decode`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=FORMATS) as image:
                exif = Image.Image.getexif(image)  # the one of PNG would decode the pixels
                turned = exif.get(0x0112, 1) in (5, 6, 7, 8)
                return (image.width, image.height) if turned else (image.height, image.width)
        except Exception as error:
            raise InvalidInput(f"{name} is not an image in {IN_WORDS} format, the only ones allowed.") from error


def _decode(file: BinaryIO, name: str, least_side: int) -> Image.Image:
    with Image.open(without_extras(file, MOST_BYTES), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        if not image.width * image.height:
            raise InvalidInput(f"{name} has no pixels; it must be at least 1 × 1.")
        if least_side and image.format == "JPEG":
            image.draft(None, (least_side, least_side))
        image.load()
        return _in_bytes(_turned(image))


def _turned(image: Image.Image) -> Image.Image:
    """Return the image as its EXIF data say that the camera was held; as it is if they are damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # they can raise as much as pixels can, but the pixels are there
        return image


def _in_bytes(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # Pillow would cut them off at 255 instead of scaling
        return Image.fromarray(_scaled(np.asarray(image, np.float32), image.mode))
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _scaled(values: np.ndarray, mode: str) -> np.ndarray:
    """Return grey levels of 16 bits, or floats up to 1 or up to 255, as uint8."""
    if mode == "F":
        values = np.nan_to_num(values)
        factor = 255.0 if values.max() <= 1 else 1.0
    else:
        factor = 1 / 257
    scaled: np.ndarray = np.round(values * factor).clip(0, 255).astype(np.uint8)
    return scaled
