"""Sheets of paper that do not fill the picture: on a table, beside other things, a drawn frame on a page."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mnist_models.images.background import COARSE_SIDE, PHOTO_SIDE, Grey, fit_surface, resized, surface_at

Mask = npt.NDArray[np.bool_]

SIDE = 200  # longest side of the shrunken picture in which outlines are looked for
FLAT = 2.5  # grey levels per pixel of it, up to which brightness changes within a sheet; an edge is steeper
LINE = 5  # pixels of it, of which a line may take half
LEAST_AREA = 0.04  # of the picture
NARROWEST = 0.3  # of its length is the width of a sheet; what lies between two lines of ruled paper is narrower
LEAST_FILLED = 0.85  # of a sheet's convex outline is paper, or enclosed by paper
LEAST_PAPER = 0.4  # of it is paper; the rest is ink, and what ink encloses
LEAST_SQUARE = 0.88  # of a sheet's outline lies within its best quadrilateral; of a disc, or a 0, it is 0.64
MARGIN = 2  # pixels of the shrunken picture along the outline that are not looked at


@dataclass(frozen=True, eq=False)
class Sheet:
    """A part of a picture that looks like a sheet of paper."""

    area: tuple[slice, slice]  # rows and columns of the picture that hold it
    inside: Mask  # the pixels of the area on the sheet
    bare: Mask  # those without ink

    def paper(self, grey: Grey) -> Grey:
        """Return the brightness of the paper at each pixel of its area `grey` [h, w], ink or not."""
        step = max(1, max(grey.shape) // COARSE_SIDE)
        return surface_at(fit_surface(grey[::step, ::step], self.bare[::step, ::step]), grey.shape)


def find_sheets(grey: Grey) -> Iterator[Sheet]:
    """Yield what looks like a sheet in `grey` [h, w] and is not the whole picture; it may come twice.

    A sheet is a region of slowly changing brightness, but for what is drawn on it, with a convex outline of four
    corners, unless the picture cuts it.
    """
    from scipy import ndimage

    height, width = grey.shape
    if min(height, width) <= PHOTO_SIDE:
        return
    factor = min(1.0, SIDE / max(height, width))
    small = resized(grey, factor, least=8)
    yield from _regions(grey.shape, small)
    # The median takes thin lines away, such as those of ruled paper, but no edge of a sheet.
    yield from _regions(grey.shape, ndimage.median_filter(small, LINE))


def _regions(shape: tuple[int, ...], small: Grey) -> Iterator[Sheet]:
    """Yield the sheets in the shrunken picture `small` [h, w] of a picture of this shape, the largest first."""
    from scipy import ndimage

    slope = ndimage.gaussian_gradient_magnitude(small, 1.0)
    # Five times the lower quartile of pure noise is hardly ever exceeded, and edges fill no quarter of a picture.
    regions, count = ndimage.label(slope <= max(FLAT, 5 * float(np.percentile(slope, 25))))
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    found = []
    for number in np.flatnonzero(sizes >= LEAST_AREA * LEAST_PAPER * small.size):
        if number and (outline := _outline(regions == number)) is not None:
            found.append((outline.sum(), outline, regions == number))
    for _, outline, bare in sorted(found, key=lambda each: -each[0]):
        yield _sheet(shape, outline, bare)


def _outline(region: Mask) -> Mask | None:
    """Return the convex hull of a region, or None if it is not that of a sheet within the picture."""
    from scipy import ndimage
    from scipy.spatial import ConvexHull, QhullError

    rows, columns = np.nonzero(region)
    try:
        corners = np.stack([columns, rows], axis=1)[ConvexHull(np.stack([columns, rows], axis=1)).vertices]
    except QhullError:  # a line
        return None
    picture = Image.new("1", region.shape[::-1])
    ImageDraw.Draw(picture).polygon([(int(x), int(y)) for x, y in corners], fill=1, outline=1)
    hull: Mask = np.asarray(picture)
    area = int(hull.sum())
    sides = np.ptp(rows), np.ptp(columns)
    if min(sides) < NARROWEST * max(sides):
        return None
    if area < LEAST_AREA * region.size or hull[[0, 0, -1, -1], [0, -1, 0, -1]].all():
        return None
    if region.sum() < LEAST_PAPER * area or ndimage.binary_fill_holes(region).sum() < LEAST_FILLED * area:
        return None
    edges = np.array([hull[0].any(), hull[-1].any(), hull[:, 0].any(), hull[:, -1].any()])
    if not edges.any() and _squareness(corners.astype(np.float64)) < LEAST_SQUARE:
        return None
    return hull


def _squareness(corners: npt.NDArray[np.float64]) -> float:
    """Return the share of a convex polygon [n, 2] that the largest quadrilateral of its corners fills."""
    x, y = corners.T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    along = corners[None] - corners[:, None]  # all diagonals
    # The distance of each corner from each diagonal, times the diagonal's length, to its left and its right.
    off = along[:, :, None, 0] * along[:, None, :, 1] - along[:, :, None, 1] * along[:, None, :, 0]
    return float((off.max(axis=2) - off.min(axis=2)).max()) / 2 / area


def _sheet(shape: tuple[int, ...], outline: Mask, bare: Mask) -> Sheet:
    """Return the sheet in a picture of this shape that has these masks in the shrunken picture."""
    from scipy import ndimage

    # What lies beyond the picture is taken for paper: there is no edge of the sheet.
    inside = ndimage.binary_erosion(outline, iterations=MARGIN, border_value=1)
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    scales = [full / part for full, part in zip(shape, inside.shape, strict=True)]
    top, bottom = (round(row * scales[0]) for row in (rows[0], rows[-1] + 1))
    left, right = (round(column * scales[1]) for column in (columns[0], columns[-1] + 1))
    area = (slice(top, bottom), slice(left, right))
    return Sheet(area, *(_enlarged(mask, shape)[area] for mask in (inside, bare & inside)))


def _enlarged(mask: Mask, shape: tuple[int, ...]) -> Mask:
    height, width = shape
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
