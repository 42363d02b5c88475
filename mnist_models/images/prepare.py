"""Prepare a picture the way a data set's images were prepared."""

import json
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_models.errors import InvalidInput
from mnist_models.images.background import Grey, border, resized
from mnist_models.images.colour import luminance
from mnist_models.images.decode import decode
from mnist_models.images.fit import Fit, Way, fitted
from mnist_models.images.foreground import find_foreground
from mnist_models.images.marks import count_marks
from mnist_models.images.read import grey_or_colour

MEASURED, RUN = 2000, 100  # training images that are measured, and how many follow one another in the data set
INK = 32  # a pixel of a training image is ink if it differs from the background by this many grey levels
UNIFORM = 8.0  # a border is a background, not part of a scene, if its grey levels mostly lie this close together


@dataclass(frozen=True)
class Preparation:
    """How a data set's images were made from pictures; it is stored with a model as JSON."""

    size: tuple[int, int]  # height and width of an image in pixels
    light_on_dark: bool  # whether the background is dark
    box: int | None  # longest side, in pixels, to which the ink was scaled; None if whole pictures were scaled
    centre_by_mass: bool  # whether the ink's centre of mass, not its bounding box, was put into the centre
    channels: int = 1  # 1: grey, 3: red, green and blue
    fit: Way | None = None  # how image files got their size when the data set was made; None: it came as arrays

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Preparation":
        """Return what `to_json` encoded."""
        fields = json.loads(text)
        return cls(**fields | {"size": tuple(fields["size"])})


def preparation_of(images: npt.NDArray[np.uint8], fit: Fit | None) -> Preparation:
    """Return how training images, uint8 [n, h, w] or [n, h, w, 3], were made: as `fit` says, or else as is measured.

    What shows a drawing in a box is measured in both cases: so photos of a sheet become images like these.
    """
    if images.ndim == 4:
        way = fit.way if fit else "letterbox"
        return Preparation((images.shape[1], images.shape[2]), False, None, False, channels=3, fit=way)
    measured = measure_preparation(images)
    return measured if fit is None or measured.box else replace(measured, fit=fit.way)


def measure_preparation(images: npt.NDArray[np.uint8]) -> Preparation:
    """Infer from training images, uint8 [n, h, w], how they were prepared; up to 2,000 of them are measured.

    Digits of MNIST were scaled to a box of 20 × 20 pixels and centred by mass in 28 × 28 (LeCun et al. 1998);
    a data set counts as prepared like this if nearly all its images have the same longest side of ink and
    their mass in the centre.
    """
    chosen = _some(images)
    size = (chosen.shape[1], chosen.shape[2])
    edge = np.concatenate([chosen[:, [0, -1]].ravel(), chosen[:, :, [0, -1]].ravel()])
    background = float(np.median(edge))
    light_on_dark = background < 128
    strength: npt.NDArray[np.float32] = np.abs(chosen.astype(np.float32) - background)
    longest = np.maximum(_extent(strength, 2), _extent(strength, 1))
    box = int(np.bincount(longest).argmax())
    mass = strength.sum(axis=(1, 2))
    off = [_centre(strength.sum(axis=2), mass) - size[0] / 2, _centre(strength.sum(axis=1), mass) - size[1] / 2]
    # Rounding to whole pixels explains half a pixel; data sets differ by another half in what they call the centre.
    centred = np.maximum(*np.abs(off)) <= 1.05
    if box and np.mean((longest == box) & centred) >= 0.95 and box < max(size):
        return Preparation(size, light_on_dark, box, centre_by_mass=True)
    return Preparation(size, light_on_dark, box=None, centre_by_mass=False)


def _some(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return images from the whole set, in runs: images that are mapped from a file are read in whole pages."""
    if len(images) <= MEASURED:
        return images
    starts = np.linspace(0, len(images) - RUN, MEASURED // RUN).astype(np.int64)
    return np.concatenate([images[start : start + RUN] for start in starts])


def _extent(strength: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.int64]:
    """Return the number of pixels [n] from the first to the last line with ink; `axis` runs along the lines."""
    lines = strength.max(axis=axis) >= INK
    first, last = lines.argmax(axis=1), lines.shape[1] - lines[:, ::-1].argmax(axis=1)
    return np.where(lines.any(axis=1), last - first, 0)


def _centre(profile: npt.NDArray[np.float32], mass: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the mean position [n] of the ink in profiles [n, side]; 0 for an image without ink."""
    moment: npt.NDArray[np.float64] = (profile * np.arange(profile.shape[1], dtype=np.float64)).sum(axis=1)
    return moment / np.maximum(mass, 1)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture that has become an image of a data set."""

    image: npt.NDArray[np.uint8]  # [height, width], or [height, width, 3]
    marks: int  # how many drawings the picture holds; 1 if whole pictures are scaled, which are not looked into


def prepare_file(file: BinaryIO, name: str, preparation: Preparation) -> Prepared:
    """Turn an image file of any size and common format into an image of the data set.

    Raise InvalidInput as `decode` and `prepare`, with the file's `name`.
    """
    picture = decode(file, name, 2 * max(preparation.size) if preparation.fit else 0)
    try:
        return prepare_picture(picture, preparation)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None


def prepare_picture(picture: Image.Image, preparation: Preparation) -> Prepared:
    """Turn a decoded picture of any size into an image of the data set; raise InvalidInput as `prepare`."""
    if preparation.fit is not None:
        way = Fit(preparation.size, preparation.channels, preparation.fit)
        return Prepared(fitted(picture, way), marks=1)
    return prepare(grey_or_colour(picture), preparation)


def prepare(picture: npt.NDArray[np.uint8], preparation: Preparation) -> Prepared:
    """Turn a photo or scan, uint8 [h, w] or [h, w, 3] of any size, into an image of the data set.

    With a `box` it follows LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition,
    Proceedings of the IEEE 86 (1998) 2278-2324, section III.A. Raise InvalidInput if the picture is blank or empty.
    """
    if (picture.ndim != 2 and picture.shape[2:] != (3,)) or not picture.size:
        raise InvalidInput(f"image must have a height and a width of at least one pixel, not shape {picture.shape}.")
    if preparation.box is None:
        return Prepared(_scaled_whole(luminance(picture), preparation), marks=1)
    if picture.shape == preparation.size and measure_preparation(picture[None]) == preparation:
        return Prepared(picture, marks=1)  # an image of such a data set, in a file: it is prepared already
    height, width = preparation.size
    found = find_foreground(picture)
    if found is None:
        raise InvalidInput("image must show something that stands out from its background, but it is blank.")
    ink = found.ink
    small = resized(ink, min(preparation.box / max(ink.shape), height / ink.shape[0], width / ink.shape[1]))
    small /= small.max()  # a thin line has been averaged with the paper beside it; it is full ink
    grey = _framed(255 * small, 0, preparation)
    return Prepared(grey if preparation.light_on_dark else 255 - grey, count_marks(ink))


def _framed(small: Grey, background: float, preparation: Preparation) -> npt.NDArray[np.uint8]:
    """Return an image of the data set's size with `small` in its centre."""
    frame = np.full(preparation.size, background, np.float32)
    top, left = (_start(small, axis, preparation) for axis in (0, 1))
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.round(frame).clip(0, 255).astype(np.uint8)


def _start(ink: Grey, axis: int, preparation: Preparation) -> int:
    """Return the frame's row or column at which the ink begins when it is centred; all of it stays inside."""
    length: int = ink.shape[axis]
    side = preparation.size[axis]
    if not preparation.centre_by_mass:
        return (side - length) // 2
    profile: Grey = ink.sum(axis=1 - axis)
    start = round(side / 2 - float(profile @ np.arange(length) / profile.sum()))
    return min(max(start, 0), side - length)


def _scaled_whole(grey: Grey, preparation: Preparation) -> npt.NDArray[np.uint8]:
    """Return the whole picture, resized to fit and padded with its background; light and dark are swapped if needed."""
    if np.ptp(grey) == 0:
        raise InvalidInput("image must show something, but all its pixels are alike.")
    edge = border(grey)
    background = float(np.median(edge))
    # Only a picture with a background can have it light where the data set's is dark.
    uniform = float(np.median(np.abs(edge - background))) <= UNIFORM
    if uniform and (background < 128) != preparation.light_on_dark:
        grey, background = 255 - grey, 255 - background
    height, width = preparation.size
    return _framed(resized(grey, min(height / grey.shape[0], width / grey.shape[1])), background, preparation)
