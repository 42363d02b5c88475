"""Image files, decoded in parallel into one array of images of one size."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from mnist_models.data.content_keys import Keys, key_of
from mnist_models.data.found import ImageFile
from mnist_models.data.options import SIDES, DataOptions
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import decode, size_of
from mnist_models.images.fit import Fit, fitted, grey_of
from mnist_models.images.read import is_coloured, opened
from mnist_models.shown_text import on_screen

AT_ONCE = 512  # files that are worked on before the results are looked at
GREY_MODES = ("L", "LA")

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Looked:
    """What is known of a file before its pixels are decoded."""

    key: int  # of its content; 0 if it cannot be read
    size: tuple[int, int] | None  # height and width
    problem: str = ""  # why it cannot be used


class Workshop(NamedTuple):
    """Where arrays are made, and how large they may become."""

    folder: Path
    largest: int  # bytes


@dataclass(frozen=True, eq=False)
class Decoded:
    """The usable files as one array."""

    images: npt.NDArray[np.uint8]  # [n, h, w] or [n, h, w, 3]
    files: list[ImageFile]  # [n]
    keys: Keys  # of the files' contents [n]
    problems: list[str]  # a sentence for each file that cannot be used
    fit: Fit
    words: str  # how the images were brought to one size


def in_parallel(work: Callable[[int], Result], count: int) -> list[Result]:
    """Return the results of `work` for 0 to `count` - 1; Pillow and hashlib let other threads run."""
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        return list(executor.map(work, range(count), chunksize=1))


def look_at(files: Sequence[ImageFile]) -> list[Looked]:
    """Return the content's key and the size of each file."""
    return in_parallel(lambda index: _look(files[index]), len(files))


def decode_all(
    files: Sequence[ImageFile], looked: Sequence[Looked], options: DataOptions, workshop: Workshop
) -> Decoded:
    """Decode the files into an array that is mapped from the workshop's folder.

    They get one size: their own if it is the same for all and allowed, or else a square with the median of their longer
    sides, unless the options say another. They get one channel if none has colours.

    Raise InvalidInput if the array would take too much, or too many files are unreadable.
    """
    problems = [each.problem for each in looked if each.problem]
    usable = [index for index, each in enumerate(looked) if each.size is not None]
    _check_readable(len(files), problems, options)
    size, words = _common_size([looked[index].size or (0, 0) for index in usable], options)
    fit = Fit(size, 3, "crop" if options.crop else "letterbox")
    if (needed := len(usable) * size[0] * size[1] * 3) > workshop.largest:
        raise InvalidInput(
            f"data: {len(usable):,} images of {size[0]}×{size[1]} in colour take {needed:,} bytes, and"
            f" {workshop.largest:,} are allowed; give a smaller --image-size."
        )
    shape = (len(usable), *size, 3)
    images = np.lib.format.open_memmap(workshop.folder / "decoded.npy", "w+", np.uint8, shape)
    coloured = np.zeros(len(usable), bool)
    failed: dict[int, str] = {}

    def work(place: int) -> None:
        each = files[usable[place]]
        try:
            with opened(each.file) as file:
                picture = decode(file, on_screen(each.file.name), fit.least_side)
            images[place] = fitted(picture, fit)
            coloured[place] = picture.mode not in GREY_MODES and is_coloured(picture.convert("RGB"))
        except InvalidInput as error:
            failed[place] = f"{each.where}: {error}"

    in_parallel(work, len(usable))
    problems += [failed[place] for place in sorted(failed)]
    _check_readable(len(files), problems, options)
    kept = np.array([place not in failed for place in range(len(usable))])
    channels = 3 if coloured[kept].any() else 1
    chosen = _kept(images, kept, channels, workshop.folder)
    indices = [index for place, index in enumerate(usable) if kept[place]]
    keys = np.array([looked[index].key for index in indices], np.uint64)
    return Decoded(chosen, [files[index] for index in indices], keys, problems, Fit(size, channels, fit.way), words)


def _look(each: ImageFile) -> Looked:
    try:
        with opened(each.file) as file:
            content = file.read()
            if not content:
                raise InvalidInput(f"{on_screen(each.file.name)} is empty.")
            file.seek(0)
            return Looked(key_of(content), size_of(file, on_screen(each.file.name)))
    except InvalidInput as error:
        return Looked(0, None, f"{each.where}: {error}")
    except OSError as error:
        return Looked(0, None, f"{each.where}: it cannot be read: {error.strerror or type(error).__name__}.")


def _check_readable(count: int, problems: Sequence[str], options: DataOptions) -> None:
    if len(problems) == count:
        raise InvalidInput(f"data: none of the {count:,} image files can be read; the first: {problems[0]}")
    if len(problems) > options.unreadable * count:
        raise InvalidInput(
            f"data: {len(problems):,} of {count:,} image files cannot be read, more than the {options.unreadable:.0%}"
            f" that `unreadable_share` in mlflow.yml allows; the first: {problems[0]}"
        )


def _common_size(sizes: Sequence[tuple[int, int]], options: DataOptions) -> tuple[tuple[int, int], str]:
    """Return height and width, and in words how images get them."""
    low, high = SIDES
    different = set(sizes)
    own = next(iter(different))
    way = "cut to" if options.crop else "letterboxed to"
    if options.image_size:
        side = options.image_size
        return (side, side), "as they are" if different == {(side, side)} else f"{way} {side}×{side}"
    if len(different) == 1 and all(low <= each <= high for each in own):
        return own, "as they are"
    side = min(max(round(median(max(size) for size in sizes)), low), high)
    return (side, side), f"{way} {side}×{side}"


def _kept(images: np.ndarray, kept: np.ndarray, channels: int, folder: Path) -> np.ndarray:
    """Return the images to keep with so many channels, in pieces, so that little memory is taken."""
    if kept.all() and channels == 3:
        return images
    indices = np.flatnonzero(kept)
    shape = (len(indices), *images.shape[1:3], *((3,) if channels == 3 else ()))
    chosen = np.lib.format.open_memmap(folder / "chosen.npy", "w+", np.uint8, shape)
    for start in range(0, len(indices), AT_ONCE):
        piece = images[indices[start : start + AT_ONCE]]
        chosen[start : start + AT_ONCE] = piece if channels == 3 else grey_of(piece)
    return chosen
