"""A thousand damaged files of each format: a sentence each time, never a traceback, never a hang."""

import gzip
import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_data import arrays_of, idx_files_of, make_dataset
from made_images import CLASSES, draw, write_class_folder, write_table
from test_data_files import packed

from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput
from mnist_models.images.decode import decode

pytestmark = [pytest.mark.slow, pytest.mark.long]
THOUSAND = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def damages(draw_from, content):
    """The content with some bytes changed, and perhaps cut, or with some more at its end."""
    damaged = bytearray(content)
    for _ in range(draw_from(st.integers(0, 12))):
        damaged[draw_from(st.integers(0, len(damaged) - 1))] = draw_from(st.integers(0, 255))
    if draw_from(st.booleans()):
        del damaged[draw_from(st.integers(0, len(damaged))) :]
    return bytes(damaged) + draw_from(st.binary(max_size=8))


@pytest.mark.parametrize("ending", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
@THOUSAND
@given(data=st.data())
def test_images(ending, data):
    buffer = io.BytesIO()
    draw(CLASSES[0], 0).save(buffer, ending)
    content = data.draw(damages(buffer.getvalue()))
    with suppress(InvalidInput):
        assert decode(io.BytesIO(content), "a.x").mode in ("L", "LA", "RGB", "RGBA")


def whole(name, folder):
    """The content of a good file of that name."""
    if name.startswith("t."):
        write_table(folder / name, each=4)
    elif name == "d.npz":
        np.savez(folder / name, **arrays_of(make_dataset(train=30, test=12)))
    else:
        packed(write_class_folder(folder / "in", each=4), folder / name)
    return (folder / name).read_bytes()


# The slowest are for `make faults`: a thousand of each take a quarter to three quarters of a minute.
SLOWEST = [pytest.param(name, marks=pytest.mark.faults) for name in ("s.zip", "s.tar", "t.csv")]


@pytest.mark.parametrize("name", [*SLOWEST, "s.tar.gz", "t.parquet", "d.npz"])
@THOUSAND
@given(data=st.data())
def test_tables_archives_and_arrays(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp() / f"whole-{name}"
    if not folder.exists():
        folder.mkdir()
        (folder / "whole").write_bytes(whole(name, folder))
    (folder / name).write_bytes(data.draw(damages((folder / "whole").read_bytes())))
    with suppress(InvalidInput):
        read_data(folder / name)


@pytest.mark.parametrize("compressed", [False, True])
@THOUSAND
@given(data=st.data())
def test_idx(tmp_path_factory, compressed, data):
    folder = tmp_path_factory.getbasetemp() / f"idx-{compressed}"
    folder.mkdir(exist_ok=True)
    files = idx_files_of(make_dataset(train=30, test=12))
    damaged = data.draw(st.sampled_from(sorted(files)))
    for name, content in files.items():
        packed_content = gzip.compress(content) if compressed else content
        if name == damaged:
            packed_content = data.draw(damages(packed_content))
        (folder / (f"{name}.gz" if compressed else name)).write_bytes(packed_content)
    with suppress(InvalidInput):
        read_data(folder)
