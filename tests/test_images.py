import struct
import tracemalloc
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw, ImageFilter

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation, measure_preparation
from mnist_models.images.prepare import prepare as prepare_picture
from mnist_models.images.read import read_image

MNIST = Preparation(size=(28, 28), light_on_dark=True, box=20, centre_by_mass=True)
STROKES = ((0.2, 0.1), (0.75, 0.05), (0.45, 0.45), (0.8, 0.7), (0.5, 0.95), (0.1, 0.8))


def prepare(picture, preparation):
    return prepare_picture(picture, preparation).image


def ink(side, seed=0):
    """A drawn figure, uint8 [side, side], light on dark, whose strokes differ by `seed`."""
    random = np.random.default_rng(seed)
    points = [tuple(side * (0.9 * np.array(point) + random.uniform(0, 0.1, 2))) for point in STROKES]
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).line(points, fill=255, width=max(1, side // 8), joint="curve")
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(side / 60)))


def like_mnist(count=20):
    return np.stack([prepare(255 - ink(300, seed), MNIST) for seed in range(count)])


def framed(grey, paper, height=420, width=560, top=90, left=190):
    frame = np.full((height, width), paper, np.float64)
    frame[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
    return frame


def difference(one, other):
    return np.abs(one.astype(float) - other).mean()


def saved(path, array_or_image, **options):
    image = array_or_image if isinstance(array_or_image, Image.Image) else Image.fromarray(array_or_image)
    image.save(path, **options)
    return path


# --- reading -----------------------------------------------------------------------------------------------

GREY = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8) * 5


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"])
def test_every_png_mode_is_read(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "P":  # a palette whose numbers differ from the grey levels
        image = Image.fromarray(255 - GREY).convert("P")
        image.putpalette([255 - index // 3 for index in range(768)])
    else:
        image = Image.fromarray(GREY).convert(mode)
    read = read_image(saved(tmp_path / "a.png", image))
    assert read.dtype == np.uint8
    assert read.shape == GREY.shape
    if mode == "1":
        assert set(np.unique(read)) <= {0, 255}
    else:
        np.testing.assert_array_equal(read, GREY)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_mode_is_read(tmp_path, mode):
    smooth = np.linspace(0, 255, 64, dtype=np.uint8) * np.ones((32, 1), np.uint8)
    image = Image.fromarray(smooth).convert("RGB").convert(mode)
    read = read_image(saved(tmp_path / "a.jpg", image, quality=95))
    assert difference(read, smooth) < 2


@pytest.mark.parametrize(("shade", "paper"), [(0, 255), (90, 255), (255, 0), (200, 0)])
def test_transparent_parts_become_paper_under_the_ink(tmp_path, shade, paper):
    pixels = np.zeros((20, 20, 2), np.uint8)
    pixels[5:15, 5:15] = shade, 255
    read = read_image(saved(tmp_path / "a.png", Image.fromarray(pixels)))
    assert read[0, 0] == paper
    assert read[10, 10] == shade


def test_a_page_with_transparent_corners_stays_a_page(tmp_path):
    pixels = np.full((20, 20, 2), 255, np.uint8)
    pixels[8:12, 5:15, 0] = 0
    pixels[:3, :3, 1] = 0
    read = read_image(saved(tmp_path / "a.png", Image.fromarray(pixels)))
    assert read[0, 0] == 255
    assert read[10, 10] == 0


def test_a_palette_can_be_transparent(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 0, 10, 10, 10])
    image.paste(1, (5, 5, 15, 15))
    read = read_image(saved(tmp_path / "a.png", image, transparency=0))
    assert (read[0, 0], read[10, 10]) == (255, 10)


def test_the_camera_was_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    picture = np.zeros((32, 64), np.uint8)
    picture[:, 32:] = 255
    read = read_image(saved(tmp_path / "a.jpg", picture, exif=exif))
    assert read.shape == (64, 32)
    assert read[40:].mean() > 250
    assert read[:24].mean() < 5


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    """A PNG that claims a size without holding its pixels."""
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def encoded(kind):
    buffer = BytesIO()
    Image.fromarray(ink(64)).save(buffer, kind)
    return buffer.getvalue()


def jpeg_header(width, height):
    """A JPEG that claims a size without holding its pixels."""
    content = encoded("JPEG")
    frame = content.index(b"\xff\xc0") + 5
    return content[:frame] + struct.pack(">HH", height, width) + content[frame + 4 :]


REFUSED = {
    "not an image": (b"hello", "not an image"),
    "empty": (b"", "not an image"),
    "a PPM": (encoded("PPM"), "not an image"),
    "truncated PNG": (encoded("PNG")[:-200], "damaged"),
    "truncated JPEG": (encoded("JPEG")[:-300], "damaged"),
    "PNG signature only": (encoded("PNG")[:8], "must|not an image"),
    "30,000 × 30,000": (png_header(30000, 30000), "40 million"),
    "JPEG of 30,000 × 30,000": (jpeg_header(30000, 30000), "40 million"),
    "10,000 × 10,000": (png_header(10000, 10000), "40 million"),
    "6,400 × 6,400": (png_header(6400, 6400), "40 million"),
    "no width": (png_header(0, 10), "must|not an image"),
}


@pytest.mark.fault(19)
@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_in_one_sentence(tmp_path, name):
    content, reason = REFUSED[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=reason) as refusal:
        read_image(path)
    assert str(refusal.value).startswith("picture.png ")
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


NO_FILES = {
    "missing.png": r"^missing\.png does not exist",
    "missing/folder/a.png": r"^a\.png does not exist",
    ".": "is a folder",
    "x" * 5000 + ".png": "cannot be read",
    "a\0b.png": "cannot be read",
}


@pytest.mark.parametrize("path", NO_FILES)
def test_what_is_no_file_is_refused(tmp_path, path):
    with pytest.raises(InvalidInput, match=NO_FILES[path] + ".*; it must be a PNG, JPEG, BMP, WebP, GIF or TIFF file"):
        read_image(tmp_path / path)


def test_large_files_are_refused_unread(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(InvalidInput, match=r"^large\.png is larger than the 50 MB"):
        read_image(path)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data, tmp_path_factory):
    content = bytearray(encoded(data.draw(st.sampled_from(["PNG", "JPEG"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    with suppress(InvalidInput):
        assert read_image(path).dtype == np.uint8


def test_warnings_do_not_leak(tmp_path):
    filters = list(warnings.filters)
    read_image(saved(tmp_path / "a.png", Image.fromarray(GREY).convert("P"), transparency=b"\x00\xff"))
    assert warnings.filters == filters


# --- measuring ---------------------------------------------------------------------------------------------


def test_mnists_preparation_is_recognised():
    images = like_mnist()
    assert measure_preparation(images) == MNIST
    assert measure_preparation(255 - images) == Preparation((28, 28), False, 20, True)


@pytest.mark.parametrize(("size", "box"), [((32, 32), 24), ((128, 96), 64), ((16, 16), 12)])
def test_other_boxes_are_recognised(size, box):
    wanted = Preparation(size, True, box, True)
    images = np.stack([prepare(255 - ink(400, seed), wanted) for seed in range(10)])
    assert measure_preparation(images) == wanted


def test_images_of_different_extent_were_only_resized():
    images = np.zeros((30, 28, 28), np.uint8)
    for index, image in enumerate(images):
        image[4 : 10 + index % 12, 5:20] = 255
    assert measure_preparation(images) == Preparation((28, 28), True, None, False)
    assert measure_preparation(255 - images) == Preparation((28, 28), False, None, False)


def test_ink_that_is_not_centred_was_only_resized():
    images = np.zeros((30, 28, 28), np.uint8)
    images[:, :20, 4:24] = 255
    assert measure_preparation(images).box is None


@pytest.mark.slow
def test_few_strange_images_do_not_matter():
    images = np.concatenate([like_mnist(60), np.zeros((2, 28, 28), np.uint8)])
    assert measure_preparation(images).box == 20


def test_a_preparation_survives_json():
    for preparation in (MNIST, Preparation((16, 128), False, None, False)):
        assert Preparation.from_json(preparation.to_json()) == preparation


# --- preparing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_prepared_image_comes_back_from_a_photo_of_it(tmp_path, seed):
    image = like_mnist(seed + 1)[seed]
    large = np.kron(255 - image, np.ones((10, 10)))
    path = saved(tmp_path / "photo.jpg", framed(large, 255).astype(np.uint8), quality=85)
    assert difference(prepare(read_image(path), MNIST), image) < 4


@pytest.mark.parametrize("name", ["dark", "light", "faint", "faint light", "shaded", "noisy", "specks", "large"])
def test_ink_is_found_on_any_paper(name):
    drawing = framed(ink(240), 0) / 255
    expected = prepare((255 - 255 * drawing).astype(np.uint8), MNIST)
    random = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : drawing.shape[0] * 1j, -1 : 1 : drawing.shape[1] * 1j]
    specks = np.kron(random.random((84, 112)) < 0.003, np.ones((5, 5)))
    photo = {
        "dark": 230 - 200 * drawing,
        "light": 30 + 200 * drawing,
        "faint": 200 - 25 * drawing,
        "faint light": 90 + 25 * drawing,
        "shaded": (150 + 60 * x - 40 * y * y) * (1 - 0.6 * drawing),
        "noisy": 180 - 120 * drawing + random.normal(0, 12, drawing.shape),
        "specks": 230 - 200 * np.maximum(drawing, specks * (drawing == 0)),
        "large": np.kron(230 - 200 * drawing, np.ones((4, 4))),
    }[name]
    prepared = prepare(photo.clip(0, 255).astype(np.uint8), MNIST)
    assert difference(prepared, expected) < 8
    assert prepared.max() == 255


@pytest.mark.parametrize("seed", range(5))
def test_ink_fills_the_box_and_its_mass_is_in_the_centre(seed):
    image = prepare(framed(255 - ink(200, seed), 255).astype(np.uint8), MNIST)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    centre = np.array([(image.sum(axis=1 - axis) @ np.arange(28)) / image.sum() for axis in (0, 1)])
    assert np.abs(centre - 14).max() <= 0.51


def test_ink_keeps_its_proportions():
    bar = np.full((300, 200), 255, np.uint8)
    bar[50:250, 80:120] = 0
    image = prepare(bar, MNIST)
    assert np.flatnonzero(image.any(axis=1)).size == 20
    assert np.flatnonzero(image.any(axis=0)).size == 4


def test_polarity_is_the_data_sets():
    photo = framed(255 - ink(200), 255).astype(np.uint8)
    light = prepare(photo, MNIST)
    np.testing.assert_array_equal(prepare(photo, Preparation((28, 28), False, 20, True)), 255 - light)


def test_the_box_can_be_centred_instead_of_the_mass():
    photo = np.full((100, 100), 255, np.uint8)
    photo[20:80, 20:30] = photo[70:80, 20:80] = 0
    image = prepare(photo, Preparation((28, 28), True, 20, False))
    assert np.flatnonzero(image.any(axis=1))[[0, -1]].tolist() == [4, 23]
    assert np.flatnonzero(image.any(axis=0))[[0, -1]].tolist() == [4, 23]


def test_what_comes_in_from_the_border_is_no_ink():
    photo = framed(255 - ink(200), 255).astype(np.uint8)
    expected = prepare(photo, MNIST)
    photo[:, :12] = 40  # the table beside the paper
    assert difference(prepare(photo, MNIST), expected) < 0.5


def test_ink_that_reaches_the_border_is_kept():
    photo = np.full((100, 100), 255, np.uint8)
    photo[:, 40:60] = 0
    assert np.flatnonzero(prepare(photo, MNIST).any(axis=1)).size == 20


def test_whole_images_are_resized_and_padded_with_their_background():
    whole = Preparation((32, 32), True, None, False)
    photo = np.full((100, 200), 10, np.uint8)
    photo[25:75, 50:150] = 200
    image = prepare(photo, whole)
    assert image[0, 0] == image[-1, -1] == 10
    assert image[16, 16] == 200
    assert (image == 200).sum() == pytest.approx(8 * 16, abs=30)
    np.testing.assert_array_equal(prepare(255 - photo, whole)[16], 245 - (245 - image[16]))
    assert prepare(255 - photo, whole)[0, 0] == 10


def test_a_scene_without_background_is_not_negated():
    scene = np.random.default_rng(0).integers(100, 256, (64, 64), dtype=np.uint8)
    np.testing.assert_array_equal(prepare(scene, Preparation((64, 64), True, None, False)), scene)


@pytest.mark.parametrize("box", [20, None])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (300, 500), (1, 200)])
def test_a_blank_image_is_refused(shape, box):
    with pytest.raises(InvalidInput, match=r"^image must show something"):
        prepare(np.full(shape, 200, np.uint8), Preparation((28, 28), True, box, False))


@pytest.mark.parametrize("shape", [(0, 10), (10, 0), (10, 10, 2), (0, 10, 3)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(InvalidInput, match=r"^image must have"):
        prepare(np.zeros(shape, np.uint8), MNIST)


@pytest.mark.parametrize("slope", [0, 40])
def test_noise_is_blank(slope):
    random = np.random.default_rng(0)
    for _ in range(20):
        height, width = random.integers(80, 300, 2)
        paper = 120 + np.linspace(0, slope, width) + random.normal(0, 15, (height, width))
        with pytest.raises(InvalidInput, match="blank"):
            prepare(paper.astype(np.uint8), MNIST)


# Mostly small, some as long and thin as a file may be.
SHAPES = st.tuples(st.integers(1, 200), st.integers(1, 200)) | st.tuples(st.integers(1, 4), st.integers(200, 20_000))


@settings(max_examples=200, deadline=None)
@given(
    image=SHAPES.flatmap(
        lambda shape: st.sampled_from([shape, shape[::-1]]).flatmap(
            lambda shape: arrays(np.uint8, shape, fill=st.integers(0, 255))
        )
    ),
    size=st.tuples(st.integers(16, 128), st.integers(16, 128)),
    box=st.none() | st.integers(8, 128),
    light_on_dark=st.booleans(),
    centre_by_mass=st.booleans(),
)
def test_any_image_is_prepared_or_refused(image, size, box, light_on_dark, centre_by_mass):
    before = image.copy()
    try:
        prepared = prepare(image, Preparation(size, light_on_dark, box, centre_by_mass))
    except InvalidInput as refusal:
        assert str(refusal).startswith("image must ")  # noqa: PT017
    else:
        assert (prepared.shape, prepared.dtype) == (size, np.uint8)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("shape", [(1, 40_000_000), (40_000_000, 1), (6324, 6324)])
def test_the_largest_images_that_are_allowed_are_prepared(shape):
    image = np.full(shape, 255, np.uint8)
    image[shape[0] // 3 : shape[0] // 3 * 2 + 1, shape[1] // 3 : shape[1] // 3 * 2 + 1] = 0
    assert prepare(image, MNIST).shape == (28, 28)


@settings(max_examples=60)
@given(data=st.data(), mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"]))
def test_any_image_in_a_file_is_read_in_its_shape(tmp_path_factory, data, mode):
    shape = data.draw(st.tuples(st.integers(1, 60), st.integers(1, 60)))
    if mode == "I;16":
        image = Image.fromarray(data.draw(arrays(np.uint16, shape)))
    else:
        channels = {"LA": "LA", "RGBA": "RGBA"}.get(mode, "L")
        pixels = data.draw(arrays(np.uint8, (*shape, len(channels)) if len(channels) > 1 else shape))
        image = Image.fromarray(pixels).convert(mode)
    path = tmp_path_factory.getbasetemp() / "any"
    image.save(path, "JPEG" if mode == "CMYK" else "PNG")
    read = read_image(path)
    assert (read.shape, read.dtype) == (shape, np.uint8)


BOMB = zlib.compress(bytes(2**28), 9)
"""256 megabytes in a quarter of one."""
PHOTOGRAPHERS_WORDS = np.random.default_rng(0).bytes(3_000_000).hex().encode()[:3_000_000]
EXTRAS = {
    "text": (b"tEXt", b"Comment\0" + PHOTOGRAPHERS_WORDS),
    "packed text": (b"zTXt", b"Comment\0\0" + zlib.compress(PHOTOGRAPHERS_WORDS)),
    "packed international text": (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(PHOTOGRAPHERS_WORDS)),
    "XMP": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PHOTOGRAPHERS_WORDS),
    "profile": (b"iCCP", b"profile\0\0" + zlib.compress(PHOTOGRAPHERS_WORDS)),
    "EXIF": (b"eXIf", b"MM\0*\0\0\0\x08\0\0\0\0\0\0" + PHOTOGRAPHERS_WORDS),
    "EXIF that is none": (b"eXIf", PHOTOGRAPHERS_WORDS),
    "text bomb": (b"zTXt", b"Comment\0\0" + BOMB),
    "international text bomb": (b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "packed XMP bomb": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "profile bomb": (b"iCCP", b"profile\0\0" + BOMB),
}


@pytest.mark.fault(19)
@pytest.mark.parametrize("name", EXTRAS)
def test_what_is_in_a_png_beside_its_pixels_neither_matters_nor_fills_the_memory(tmp_path, name):
    plain = encoded("PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(plain[:33] + chunk(*EXTRAS[name]) + plain[33:])
    tracemalloc.start()
    read = read_image(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(read, ink(64))
    assert most < 2**25


def test_a_jpeg_may_have_many_comments(tmp_path):
    plain = encoded("JPEG")
    comment = b"\xff\xfe" + struct.pack(">H", 60_002) + bytes(60_000)
    path = tmp_path / "picture.jpg"
    path.write_bytes(plain[:2] + 50 * comment + plain[2:])
    assert difference(read_image(path), ink(64)) < 5


@pytest.mark.parametrize("where", ["EXIF", "XMP"])
def test_a_png_too_says_how_the_camera_was_turned(tmp_path, where):
    if where == "EXIF":
        exif = Image.Exif()
        exif[0x0112] = 6
        content = (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    else:
        content = (b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta tiff:Orientation="6"/>')
    picture = np.zeros((32, 64), np.uint8)
    picture[:, 32:] = 255
    plain = saved(tmp_path / "a.png", picture).read_bytes()
    (tmp_path / "a.png").write_bytes(plain[:33] + chunk(*content) + plain[33:])
    read = read_image(tmp_path / "a.png")
    assert read.shape == (64, 32)
    assert read[40:].mean() > 250


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGB"), ("jpg", "RGB"), ("png", "P")])
def test_a_coloured_picture_keeps_its_colours(tmp_path, kind, mode):
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:20], picture[20:] = (200, 60, 60), (60, 131, 60)
    read = read_image(saved(tmp_path / f"a.{kind}", Image.fromarray(picture).convert(mode)))
    assert (read.shape, read.dtype) == (picture.shape, np.uint8)
    assert difference(read, picture) < 20  # a palette of web colours


def test_a_picture_in_warm_light_is_grey(tmp_path):
    picture = (np.arange(240)[:, None, None] * np.array([1.0, 0.95, 0.92])).astype(np.uint8).repeat(9, axis=1)
    assert read_image(saved(tmp_path / "a.png", picture)).ndim == 2


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(16, 40), st.integers(16, 40)), fill=st.integers(0, 255))
)
def test_any_data_set_is_measured(images):
    preparation = measure_preparation(images)
    assert preparation.size == images.shape[1:]
    assert preparation.box is None or 0 < preparation.box <= max(preparation.size)
    assert Preparation.from_json(preparation.to_json()) == preparation


def test_paths_are_named_without_their_folder(tmp_path: Path):
    with pytest.raises(InvalidInput) as refusal:
        read_image(tmp_path / "photo.jpg")
    assert str(tmp_path) not in str(refusal.value)
