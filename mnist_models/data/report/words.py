"""What a report says besides its table of classes, in words, for the screen and for pages."""

from collections.abc import Iterator

from mnist_models.data.assembly.pixel_scale import IMAGE_FILES
from mnist_models.data.report.report import Copies, DataReport
from mnist_models.shown_text import in_title, on_screen

MOST_NAMED = 5  # files that cannot be read


def heading(report: DataReport) -> str:
    """Return what it is, on one line."""
    total = report.totals
    images = f"{total.train + total.validation + total.test:,} images of {report.height}×{report.width}"
    kind = "in colour" if report.channels == 3 else "in grey"
    return f"{in_title(report.version or report.name)}: {images} {kind}, {len(report.classes):,} classes"


def facts(report: DataReport) -> Iterator[tuple[str, str]]:
    """Yield the name of each fact, and the fact."""
    total = report.totals
    validation = f", {total.validation:,} for validation" if total.validation else ""
    yield "images", f"{total.train:,} for training{validation}, {total.test:,} for the test"
    if report.test_part:
        yield "test part", report.test_part
    yield "size", _size(report)
    yield "channels", "3: red, green, blue" if report.channels == 3 else "1: grey"
    if report.pixels != IMAGE_FILES:
        yield "pixels", report.pixels
    yield "balance", _balance(report)
    yield "equal images", _copies(report.equal)
    yield "nearly equal", "not looked for" if report.near is None else _copies(report.near)
    if report.contradicting:
        images = "image has" if report.contradicting == 1 else "images have"
        yield "labels", f"{report.contradicting:,} training {images} another label than one that is equal"
    yield "unreadable", _files(report.unreadable)
    if report.left_alone:
        yield "left alone", on_screen(", ".join(report.left_alone))
    yield "source", on_screen(report.source)
    yield "digest", report.digest


def warnings(report: DataReport) -> list[str]:
    """Return what is doubtful, a sentence each."""
    return [f"{each[0].upper()}{each[1:]}." for each in map(on_screen, report.warnings)]


def unreadable(report: DataReport) -> list[str]:
    """Return why files cannot be used, a sentence each, of a few of them."""
    named = [on_screen(each) for each in report.unreadable[:MOST_NAMED]]
    more = len(report.unreadable) - len(named)
    return [*named, *([f"… and {more:,} more, which report.json lists."] if more else [])]


def _balance(report: DataReport) -> str:
    counts = [each.train + each.validation for each in report.classes]
    if min(counts) == max(counts):
        return f"every class has {counts[0]:,} training images"
    return f"{min(counts):,} to {max(counts):,} training images in a class, 1 : {report.imbalance:,.1f}"


def _size(report: DataReport) -> str:
    if report.sizes == "as they are":
        return f"{report.height}×{report.width}, as they are"
    return f"{report.sizes} ({report.own_sizes})" if report.own_sizes else report.sizes


def _copies(copies: Copies) -> str:
    if not any(copies):
        return "none"
    across = f"{copies.across:,} of the test in training, too" if copies.across else "none in both parts"
    return f"{copies.train:,} in training, {copies.test:,} in the test, {across}"


def _files(problems: tuple[str, ...]) -> str:
    return "no file" if not problems else "1 file" if len(problems) == 1 else f"{len(problems):,} files"
