"""What is decoded, how much of it before a data set is refused, and what images are alike."""

import numpy as np
import pytest
from PIL import Image

from mnist_models.data.assembly import decode_files
from mnist_models.data.assembly.decode_files import MANY
from mnist_models.data.assembly.near_duplicates import NEAR, SIDE, near_duplicates
from mnist_models.data.content_keys import keys_of
from mnist_models.data.options import DataOptions
from mnist_models.data.prepared import read_or_reuse
from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput
from mnist_models.images.read import GREYISH, is_coloured


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that are decoded."""
    names, decode = [], decode_files.decode

    def noting(file, name, least_side):
        names.append(name)
        return decode(file, name, least_side)

    monkeypatch.setattr(decode_files, "decode", noting)
    return names


def write_many(folder, count, damage, is_damaged):
    """Write small pictures into two classes, of which some are damaged."""
    generator = np.random.default_rng(0)
    for number in range(count):
        file = folder / "ab"[number % 2] / f"{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (16, 16), dtype=np.uint8)).save(file)
        if is_damaged(number):
            file.write_bytes(damage(file.read_bytes()))
    return folder


def test_headers_are_read_before_anything_is_decoded(tmp_path, decoded):
    folder = write_many(tmp_path / "s", 4 * MANY, lambda _: b"no picture", lambda number: number % 3 == 0)
    with pytest.raises(InvalidInput, match=r"^data: at least 134 of 400 image files cannot be read, more than the 5%"):
        read_data(folder)
    assert decoded == []


def test_no_more_is_decoded_than_it_takes_to_refuse(tmp_path, decoded):
    """The damage lies behind the headers, and all of it in the second half of one class."""
    folder = write_many(tmp_path / "s", 1000, lambda content: content[:-30], lambda number: number >= 500)
    with pytest.raises(InvalidInput, match=r"at least \d+ of 1,000 image files cannot be read, more than the 5%"):
        read_data(folder)
    assert MANY <= len(decoded) < 350


def test_of_a_few_files_all_are_looked_at_so_that_their_number_is_known(tmp_path, decoded):
    folder = write_many(tmp_path / "s", 100, lambda content: content[:-30], lambda number: number < 50)
    with pytest.raises(InvalidInput, match=r"^data: 50 of 100 image files cannot be read.*; the first: a/0000.png: "):
        read_data(folder)
    assert len(decoded) == 100


def test_known_files_are_neither_decoded_nor_are_their_headers_read(tmp_path, decoded, monkeypatch):
    folder = write_many(tmp_path / "s", 60, lambda _: b"no picture", lambda number: number == 3)
    place, first = read_or_reuse(folder, DataOptions(), tmp_path / "data")
    assert len(decoded) == 59
    monkeypatch.setattr(decode_files, "size_of", lambda *_: pytest.fail("it reads a header"))
    again, second = read_or_reuse(folder, DataOptions(), tmp_path / "data")
    assert (again, second.digest, second.facts) == (place, first.digest, first.facts)
    assert len(second.facts.unreadable) == 1
    assert len(decoded) == 59


def test_one_picture_in_colour_makes_all_of_them_so(tmp_path):
    folder = write_many(tmp_path / "s", 60, bytes, lambda _: False)
    assert read_data(folder).image_shape == (16, 16, 1)
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / "a" / "x.png")
    assert read_data(folder).image_shape == (16, 16, 3)


@pytest.mark.parametrize(("levels", "coloured"), [((100, 100, 100 + GREYISH), False), ((99, 100, 100 + GREYISH), True)])
def test_a_pixel_is_coloured_if_its_channels_differ_by_more_than_a_light_does(levels, coloured):
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        picture = np.full((20, 30, 3), 128, np.uint8)
        picture[7, 9] = [levels[place] for place in order]
        assert is_coloured(Image.fromarray(picture)) == coloured


@pytest.mark.parametrize("shape", [(48, 64, 3), (50, 33), (28, 28)])
def test_a_picture_that_was_saved_again_is_alike_and_others_are_not(shape):
    generator = np.random.default_rng(0)
    rough = generator.integers(0, 256, (6, SIDE, SIDE, *shape[2:]), dtype=np.uint8)
    images = np.stack(
        [np.asarray(Image.fromarray(each).resize(shape[1::-1], Image.Resampling.BICUBIC)) for each in rough]
    )
    noisy = np.clip(images[:2] + generator.normal(0, 3, images[:2].shape), 0, 255).astype(np.uint8)
    both = np.concatenate([images, noisy])
    numbers = near_duplicates(both, keys_of(both))
    assert numbers.tolist() == [0, 1, 2, 3, 4, 5, 0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(48, 64, 3), (50, 33), (28, 28), (16, 40, 3)])
def test_how_much_brighter_a_picture_may_be_to_be_alike(shape):
    images = np.random.default_rng(0).integers(40, 200, (6, *shape), dtype=np.uint8)
    images[1], images[3] = images[0] + round(NEAR - 1), images[2] + round(NEAR + 1)
    assert near_duplicates(images, keys_of(images)).tolist() == [0, 0, 2, 3, 4, 5]
