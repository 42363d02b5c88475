import gzip
import io
import os
import pickle
import re
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_data import arrays_of, idx_files_of, make_dataset, write_idx_folder, write_npz

from mnist_models.data import formats, read
from mnist_models.data.read import format_titles, read_data
from mnist_models.errors import InvalidInput

DATA = make_dataset(train=30, test=12)
IMAGES = "train-images-idx3-ubyte"


def titles():
    return format_titles("nor")


def refused(path, *messages):
    with pytest.raises(InvalidInput) as refusal:
        read_data(path)
    text = str(refusal.value)
    assert text.startswith("data: ")
    assert str(path) in text
    assert "\n" not in text
    assert text.endswith(".")
    for message in messages:
        assert message in text


@pytest.mark.parametrize("compress", [False, True])
def test_idx_folder(tmp_path, compress):
    data = read_data(write_idx_folder(DATA, tmp_path / "digits.v1", compress))
    assert data.digest == DATA.digest
    assert (data.name, data.source) == ("digits.v1", str(tmp_path / "digits.v1"))


def test_names_with_dots_are_found(tmp_path):
    write_idx_folder(DATA, tmp_path)
    (tmp_path / IMAGES).rename(tmp_path / "train-images.idx3-ubyte")
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    content = gzip.compress(idx_files_of(DATA)["t10k-labels-idx1-ubyte"])
    (tmp_path / "t10k-labels.idx1-ubyte.gz").write_bytes(content)
    assert read_data(tmp_path).digest == DATA.digest


@pytest.mark.parametrize("name", ["digits.npz", "DIGITS.NPZ"])
def test_npz(tmp_path, name):
    data = read_data(write_npz(DATA, tmp_path / "digits.npz").rename(tmp_path / name))
    assert data.digest == DATA.digest
    assert data.name == name[:-4]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_other_types_and_order(tmp_path, save):
    arrays = arrays_of(DATA) | {"x_train": np.asfortranarray(DATA.x_train / 255), "y_test": DATA.y_test.astype(">i8")}
    save(tmp_path / "digits.npz", extra=np.zeros(3), **arrays)
    assert read_data(tmp_path / "digits.npz").digest == DATA.digest


def test_missing_path(tmp_path):
    refused(tmp_path / "nowhere", "does not exist")


def test_wrong_suffix(tmp_path):
    (tmp_path / "digits.txt").write_text("1,2,3")
    refused(tmp_path / "digits.txt", f"neither {titles()}")


def test_a_folder_without_any_of_the_files(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    refused(tmp_path, f"neither {titles()}, which are what is read")


RAW = """
import numpy as np

from mnist_models.data.found import LabelledArrays

TITLE = "a folder of raw arrays"


def recognises(path):
    return (path / "x_train.npy").is_file()


def read(path, largest):
    images, labels = ({part: np.load(path / f"{kind}_{part}.npy") for part in ("train", "test")} for kind in "xy")
    return LabelledArrays(images, labels)
"""


def test_a_module_is_enough_to_add_a_format(tmp_path, monkeypatch):
    for key, array in arrays_of(DATA).items():
        np.save(tmp_path / f"{key}.npy", array)
    refused(tmp_path, "neither")
    (tmp_path / "raw_folder.py").write_text(RAW)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    assert read_data(tmp_path).digest == DATA.digest
    refused(tmp_path / "nowhere", f"give {format_titles()}.")
    assert "a folder of raw arrays" in format_titles()
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, f"{formats.__name__}.raw_folder")
    assert {"a folder of IDX files", "an .npz file"} <= {*re.split(", | or ", format_titles())}


def test_a_path_that_is_no_text(tmp_path):
    file = write_npz(DATA, tmp_path / "digits.npz").rename(tmp_path / os.fsdecode(b"caf\xe9.npz"))
    with pytest.raises(InvalidInput, match=r"^data: .*/caf\\xe9.npz is no valid text \(UTF-8\)"):
        read_data(file)


def test_a_name_is_one_line(tmp_path):
    data = read_data(write_npz(DATA, tmp_path / "digits.npz").rename(tmp_path / "two\nlines.npz"))
    assert data.name == "two\\nlines"
    assert "\n" not in data.source


def test_a_path_that_the_system_refuses(tmp_path):
    refused(tmp_path / ("x" * 300), "cannot be read")


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", idx_files_of(DATA))
def test_missing_file(tmp_path, name):
    write_idx_folder(DATA, tmp_path)
    (tmp_path / name).unlink()
    refused(tmp_path, f"must hold the file {name} ")


def test_what_does_not_validate_is_refused_with_the_path(tmp_path):
    np.savez(tmp_path / "digits.npz", **(arrays_of(DATA) | {"y_train": DATA.y_train[:-1]}))
    refused(tmp_path / "digits.npz", "30 images and 29 labels")


def test_damaged_idx_file(tmp_path):
    path = write_idx_folder(DATA, tmp_path) / IMAGES
    path.write_bytes(path.read_bytes()[:-1])
    refused(tmp_path, str(path), "expected 7,696 bytes", "found 7,695")


def flipped(content, position):
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda packed: packed[:-10], "cannot be read"),
        (lambda packed: packed[:100], "cannot be read"),
        (lambda packed: flipped(packed, len(packed) - 8), "CRC"),
        (lambda packed: flipped(packed, len(packed) // 2), "cannot be read"),
        (lambda packed: packed[:10] + b"\x07" + packed[11:], "invalid block type"),
        (lambda _: b"", "found an empty file"),
        (lambda _: b"<html>", "cannot be read"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "expected 7,696 bytes"),
        (lambda packed: gzip.compress(gzip.decompress(packed) + b"\0"), "found more"),
    ],
)
def test_damaged_gzip_file(tmp_path, damage, message):
    path = write_idx_folder(DATA, tmp_path, compress=True) / f"{IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    refused(tmp_path, str(path), message)


@pytest.mark.fault(19)
def test_a_gzip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    path = write_idx_folder(DATA, tmp_path, compress=True) / f"{IMAGES}.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(2**26)))
    unpacked = 0
    original = gzip.GzipFile.read

    def counted(self, size=-1):
        nonlocal unpacked
        content = original(self, size)
        unpacked += len(content)
        return content

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    refused(tmp_path, "expected 7,696 bytes")
    assert unpacked == 7697


@pytest.mark.fault(19)
@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_an_idx_header_that_announces_too_much(tmp_path, pack):
    header = struct.pack(">4B3I", 0, 0, 8, 3, 2**20, 128, 128)
    write_idx_folder(DATA, tmp_path)
    (tmp_path / IMAGES).unlink()
    (tmp_path / (IMAGES + (".gz" if pack is gzip.compress else ""))).write_bytes(pack(header))
    refused(tmp_path, "may take 4,294,967,296 bytes" if pack is gzip.compress else "expected 17,179,869,200 bytes")


def test_the_whole_folder_is_limited(tmp_path, monkeypatch):
    write_idx_folder(DATA, tmp_path)
    exact = sum(getattr(DATA, key).size for key in arrays_of(DATA)) + 8  # the last header counts, labels have 8 bytes
    monkeypatch.setattr(read, "LARGEST", exact)
    assert read_data(tmp_path).digest == DATA.digest
    monkeypatch.setattr(read, "LARGEST", exact - 1)
    refused(tmp_path, "t10k-labels", "a data set may take")


@pytest.mark.fault(6)
@pytest.mark.parametrize("key", arrays_of(DATA))
def test_missing_key(tmp_path, key):
    arrays = arrays_of(DATA)
    del arrays[key]
    np.savez(tmp_path / "digits.npz", **arrays)
    refused(tmp_path / "digits.npz", f"but {key} is missing")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.fault(19)
def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "digits.npz", **(arrays_of(DATA) | {"y_train": np.array([Bomb()], object)}))
    refused(tmp_path / "digits.npz", "y_train", "has the type object")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Bomb()))
    refused(tmp_path / "pickle.npz", "cannot be read as an .npz file")


def npz_with(path, member, compression=zipfile.ZIP_DEFLATED):
    """An .npz file whose x_train is the given bytes."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for key, array in arrays_of(DATA).items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            file.writestr(f"{key}.npy", member if key == "x_train" else buffer.getvalue())
    return path


def npy(shape, content=b"", dtype="|u1"):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + content


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy((2**40, 16, 16)), "expected 281,474,976,710,784 bytes, as its header announces, found 128"),
        (npy((30, 16, 16), bytes(7679)), "expected 7,808 bytes, as its header announces, found 7,807"),
        (npy((30, 16, 16), bytes(7681)), "expected 7,808 bytes, as its header announces, found 7,809"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 20_000) + b" " * 20_000, "(20000) is large"),
        (npy((2**40,), dtype="|S0"), "must hold numbers"),
        (npy((-30, -16, 16), bytes(7680)), "cannot be read"),
        (npy((0, 16, 16)), "at least one image"),
        (b"", "cannot be read"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((", "cannot be read"),
        (b"\x93NUMPY\x09\x00\x10\x00{}", "cannot be read"),
    ],
)
def test_damaged_npy_members(tmp_path, member, message):
    refused(npz_with(tmp_path / "digits.npz", member), message)


@pytest.mark.fault(19)
def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "LARGEST", 10_000)
    path = npz_with(tmp_path / "digits.npz", npy((30, 16, 16), bytes(7680)))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("a member was opened"))
    refused(path, "may take 10,000 bytes uncompressed, but this one takes")


def test_a_size_that_is_a_lie_is_noticed(tmp_path):
    """The directory announces less than is packed, so that a check of the announced sizes alone would let it in."""
    content = bytearray(npz_with(tmp_path / "digits.npz", npy((30, 16, 16), bytes(2**24))).read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 7808)
    (tmp_path / "digits.npz").write_bytes(content)
    tracemalloc.start()
    refused(tmp_path / "digits.npz", "cannot be read as an .npz file")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22


@pytest.mark.fault(19)
def test_members_with_paths_are_not_written_anywhere(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_npz(DATA, tmp_path / "in" / "digits.npz")
    with zipfile.ZipFile(path, "a") as file:
        for name in ("../outside.npy", "/tmp/../outside.npy", "x_train/../../outside"):
            file.writestr(name, b"x")
    assert read_data(path).digest == DATA.digest
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["digits.npz", "in"]


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), np.array([Bomb()], object)], ids=["pickle", "npy"])
def test_a_single_array_file_is_no_data_set(tmp_path, content):
    path = tmp_path / "digits.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    refused(path, f"neither {titles()}")
    path.rename(tmp_path / "digits.npz")
    refused(tmp_path / "digits.npz", "cannot be read as an .npz file")


GZIPPED = gzip.compress(idx_files_of(DATA)[IMAGES])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.binary().map(gzip.compress), st.booleans(), st.lists(st.integers(0, len(GZIPPED) - 1)))
def test_arbitrary_bytes_in_an_idx_folder_are_read_or_refused(tmp_path, content, compressed, flips):
    write_idx_folder(DATA, tmp_path)
    (tmp_path / IMAGES).unlink()
    if flips:
        altered = bytearray(GZIPPED)
        for position in flips:
            altered[position] ^= 1
        (tmp_path / f"{IMAGES}.gz").write_bytes(altered)
    else:
        (tmp_path / (f"{IMAGES}.gz" if compressed else IMAGES)).write_bytes(content)
    try:
        assert read_data(tmp_path).digest == DATA.digest
    except InvalidInput as refusal:
        assert str(refusal).startswith("data: ")  # noqa: PT017
    finally:
        for file in tmp_path.glob(f"{IMAGES}*"):
            file.unlink()


@pytest.mark.fault(6)
def test_damaged_npz_file(tmp_path):
    path = write_npz(DATA, tmp_path / "digits.npz")
    content = path.read_bytes()
    for damaged in (content[:-30], content[: len(content) // 2], b"", b"<html>", flipped(content, 2000)):
        path.write_bytes(damaged)
        refused(path, "cannot be read as an .npz file")


NPZ = io.BytesIO()
np.savez(NPZ, **arrays_of(make_dataset(train=6, test=3)))
HEADER = st.builds(lambda text: b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text, st.binary(max_size=200))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_arbitrary_bytes_in_an_npz_file_are_read_or_refused(tmp_path, data):
    path = tmp_path / "digits.npz"
    kind = data.draw(st.sampled_from(["bytes", "member", "flipped"]))
    if kind == "bytes":
        path.write_bytes(data.draw(st.binary()))
    elif kind == "member":
        npz_with(path, data.draw(st.binary() | HEADER), zipfile.ZIP_STORED)
    else:
        content = bytearray(NPZ.getvalue())
        for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1)):
            content[position] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
    try:
        read_data(path)
    except InvalidInput as refusal:
        assert str(refusal).startswith("data: ")  # noqa: PT017
