"""Image files, decoded in parallel into one array of images of one size."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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

AT_ONCE = 512  # images that are copied together
PORTION = 16  # files that a thread takes at a time
MANY = 100  # files that cannot be used, up to which all files are looked at, so that their number is known
GREY_MODES = ("L", "LA")
EMPTY = key_of(b"")

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Looked:
    """What is known of a file before anything in it is decoded."""

    key: int  # of its content; 0 if it cannot be read
    problem: str = ""  # why it cannot be


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
    own_sizes: str  # in words


def in_parallel(work: Callable[[int], Result], count: int) -> list[Result]:
    """Return the results of `work` for 0 to `count` - 1; Pillow and hashlib let other threads run."""

    def portion(start: int) -> list[Result]:
        return [work(index) for index in range(start, min(start + PORTION, count))]

    with ThreadPoolExecutor(os.cpu_count()) as executor:
        return [result for results in executor.map(portion, range(0, count, PORTION)) for result in results]


def look_at(files: Sequence[ImageFile]) -> list[Looked]:
    """Return the content's key of each file."""
    return in_parallel(lambda index: _look(files[index]), len(files))


def decode_all(
    files: Sequence[ImageFile], looked: Sequence[Looked], options: DataOptions, workshop: Workshop
) -> Decoded:
    """Decode the files into an array that is mapped from the workshop's folder.

    They get one size: their own if it is the same for all and allowed, or else a square with the median of their longer
    sides, unless the options say another. They get one channel if none has colours.

    Raise InvalidInput if the array would take too much, or too many files are unreadable: all headers are read before
    anything is decoded, and no more is decoded than it takes to know that.
    """
    sizes = in_parallel(lambda index: _size(files[index], looked[index]), len(files))
    problems = [each for each in sizes if isinstance(each, str)]
    usable = [index for index, each in enumerate(sizes) if not isinstance(each, str)]
    most_failures = max(int(options.unreadable * len(files)), MANY)
    if not usable:
        check_readable(len(files), problems, options)
    own = [each for each in sizes if not isinstance(each, str)]
    size, words = _common_size(own, options)
    fit = Fit(size, 3, "crop" if options.crop else "letterbox")
    if (needed := len(usable) * size[0] * size[1] * 3) > workshop.largest:
        raise InvalidInput(
            f"data: {len(usable):,} images of {size[0]}×{size[1]} in colour take {needed:,} bytes, and"
            f" {workshop.largest:,} are allowed; give a smaller --image-size."
        )
    images = np.lib.format.open_memmap(workshop.folder / "decoded.npy", "w+", np.uint8, (len(usable), *size, 3))
    work = _Work([files[index] for index in usable], images, fit)
    work.most_failures = most_failures - len(problems)
    in_parallel(work.decode, len(usable))
    failed = work.failed
    problems += [failed[place] for place in sorted(failed)]
    check_readable(len(files), problems, options, all_seen=not work.given_up)
    kept = np.array([place not in failed for place in range(len(usable))])
    channels = 3 if work.coloured else 1
    chosen = _kept(images, kept, channels, workshop.folder)
    indices = [index for place, index in enumerate(usable) if kept[place]]
    keys = np.array([looked[index].key for index in indices], np.uint64)
    usable_files, fit = [files[index] for index in indices], replace(fit, channels=channels)
    return Decoded(chosen, usable_files, keys, problems, fit, words, _sizes_in_words(own))


class _Work:
    """The decoding of files into an array, which several threads do."""

    most_failures = 0  # after which it is given up

    def __init__(self, files: Sequence[ImageFile], images: npt.NDArray[np.uint8], fit: Fit) -> None:
        self._files, self._images, self._fit = files, images, fit
        # Scattered, so that damage which files of one folder share is found early.
        self._order = np.random.default_rng(0).permutation(len(files)).tolist()
        self.failed: dict[int, str] = {}
        self.coloured = False  # whether one of the images is

    @property
    def given_up(self) -> bool:
        """Whether too many files cannot be used."""
        return len(self.failed) > self.most_failures

    def decode(self, turn: int) -> None:
        """Decode the file whose turn it is."""
        if self.given_up:
            return
        place = self._order[turn]
        each = self._files[place]
        try:
            with opened(each.file) as file:
                picture = decode(file, on_screen(each.file.name), self._fit.least_side)
            self._images[place] = fitted(picture, self._fit)
            if not self.coloured and picture.mode not in GREY_MODES:
                self.coloured = is_coloured(picture.convert("RGB"))  # if another thread is faster, both say True
        except InvalidInput as error:
            self.failed[place] = f"{each.where}: {error}"


def _look(each: ImageFile) -> Looked:
    try:
        with opened(each.file) as file:
            return Looked(key_of(file.read()))
    except InvalidInput as error:
        return Looked(0, f"{each.where}: {error}")
    except OSError as error:
        return Looked(0, f"{each.where}: it cannot be read: {error.strerror or type(error).__name__}.")


def _size(each: ImageFile, known: Looked) -> tuple[int, int] | str:
    """Return height and width, or why the file cannot be used."""
    if known.problem:
        return known.problem
    name = on_screen(each.file.name)
    try:
        with opened(each.file) as file:
            if known.key == EMPTY:
                raise InvalidInput(f"{name} is empty.")
            return size_of(file, name)
    except InvalidInput as error:
        return f"{each.where}: {error}"


def check_readable(count: int, problems: Sequence[str], options: DataOptions, all_seen: bool = True) -> None:
    """Raise InvalidInput if too many of `count` files have a problem, of which not all may have been seen."""
    if len(problems) == count and options.unreadable < 1:
        raise InvalidInput(f"data: none of the {count:,} image files can be read; the first: {problems[0]}")
    if len(problems) > options.unreadable * count:
        found = "" if all_seen else "at least "
        raise InvalidInput(
            f"data: {found}{len(problems):,} of {count:,} image files cannot be read, more than the"
            f" {options.unreadable:.0%} that `unreadable_share` in mlflow.yml allows; the first: {problems[0]}"
        )


def _common_size(sizes: Sequence[tuple[int, int]], options: DataOptions) -> tuple[tuple[int, int], str]:
    """Return height and width, and in words how images get them."""
    low, high = SIDES
    different = set(sizes)
    own = next(iter(different), SIDES)
    way = "cut to" if options.crop else "letterboxed to"
    if options.image_size:
        side = options.image_size
        return (side, side), "as they are" if different == {(side, side)} else f"{way} {side}×{side}"
    if len(different) == 1 and all(low <= each <= high for each in own):
        return own, "as they are"
    side = min(max(round(median(max(size) for size in sizes)), low), high)
    return (side, side), f"{way} {side}×{side}"


def _sizes_in_words(sizes: Sequence[tuple[int, int]]) -> str:
    different = sorted(set(sizes), key=lambda size: size[0] * size[1])
    shown = [f"{height}×{width}" for height, width in (different[0], different[-1])]
    if len(different) == 1:
        return f"all files {shown[0]}"
    return f"{len(different):,} different sizes of files, from {shown[0]} to {shown[1]}"


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
