"""The image file that a caller means: its bytes, these in base64, or its path."""

import base64
import binascii
import os
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from mnist_models.errors import InvalidInput
from mnist_models.images.decode import MOST_BYTES
from mnist_models.images.read import opened
from mnist_models.shown_text import on_screen

FILE = "the file"  # what one without a name is called in a problem
LONGEST_TEXT = MOST_BYTES * 3 // 2  # characters of base64, with line ends
ALLOWED = "an image file's bytes, or these in base64"


def opened_image(given: Any, read_paths: bool) -> tuple[BinaryIO, str]:
    """Open the image file that is `given`, and return it with its name.

    A text is base64, and a path only if `read_paths`: whoever may send a text must not choose what is read here.
    Raise InvalidInput if it is neither, or there is no such file, or it is too large.
    """
    if isinstance(given, bytes | bytearray | memoryview):
        return _in_memory(bytes(given)), FILE
    if isinstance(given, os.PathLike):
        return _at(Path(os.fsdecode(given)))
    content = _from_base64(given)
    if content is not None:
        return _in_memory(content), FILE
    if read_paths:
        return _at(Path(given))
    raise InvalidInput(
        "the text must be an image file in base64; as a path it is read only where the model is loaded for that."
    )


def check_kind(given: Any, number: int) -> None:
    """Raise InvalidInput for what cannot be an image file, as the `number`th of a batch from 0."""
    if not isinstance(given, bytes | bytearray | memoryview | str | os.PathLike):
        raise InvalidInput(f"image: number {number} must be {ALLOWED}, not {type(given).__name__}.")


def _in_memory(content: bytes) -> BinaryIO:
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{FILE} is larger than the {MOST_BYTES // 10**6} MB that are allowed.")
    return BytesIO(content)


def _at(path: Path) -> tuple[BinaryIO, str]:
    return opened(path), on_screen(path.name)


def _from_base64(text: str) -> bytes | None:
    """Return what a text holds in base64, also one for a browser: `data:image/png;base64,…`; None if it holds none."""
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"{FILE} is larger than the {MOST_BYTES // 10**6} MB that are allowed.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters that are no ASCII
        return None
