"""Small pictures of all images of a data set, so that a new one that is nearly the same as an old one is found."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from mnist_models.atomic import atomic_path
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import on_screen

SIDE = 32  # pixels

Thumbnails = dict[str, npt.NDArray[np.uint8]]  # content → [SIDE, SIDE] or [SIDE, SIDE, 3]


def write_thumbnails(folder: Path, number: int, thumbnails: Thumbnails) -> None:
    """Write those of the images that version `number` is going to add; the file of one that failed is replaced."""
    contents = np.array([bytes.fromhex(content) for content in thumbnails], "V32")
    with atomic_path(folder / "thumbnails" / f"{number}.npz") as temporary:
        np.savez_compressed(temporary, contents=contents, pictures=np.stack(list(thumbnails.values())))


def thumbnails_of(folder: Path, contents: Sequence[str], new: Thumbnails) -> npt.NDArray[np.uint8]:
    """Return the thumbnails of `contents`, uint8 [n, SIDE, SIDE] or [n, SIDE, SIDE, 3].

    Raise InvalidInput if some are missing or damaged.
    """
    known = dict(new)
    try:
        for file in (folder / "thumbnails").glob("[!.]*.npz"):
            with np.load(file) as stored:
                names = (each.tobytes().hex() for each in stored["contents"])
                known |= dict(zip(names, stored["pictures"], strict=True))
        return np.stack(_alike([known[content] for content in contents]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        shown = on_screen(str(folder / "thumbnails"))
        raise InvalidInput(f"data: {folder.name}: {shown} is damaged ({type(error).__name__}).") from error


def _alike(pictures: list[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.uint8]]:
    """Return all in colour if one is."""
    if len({each.ndim for each in pictures}) < 2:
        return pictures
    return [each if each.ndim == 3 else np.repeat(each[..., None], 3, axis=2) for each in pictures]
