"""Folders of images by class, tables of them, and archives: what is read, what is left alone, what is refused."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from made_images import CLASSES, draw, write_class_folder, write_table
from PIL import Image

from mnist_models.data import read
from mnist_models.data.loader import prepare_data
from mnist_models.data.options import DataOptions
from mnist_models.data.prepared import read_or_reuse
from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput


def refused(path, *words, **options):
    with pytest.raises(InvalidInput) as refusal:
        read_data(path, DataOptions(**options))
    text = str(refusal.value)
    assert text.startswith("data: ")
    assert text.endswith(".")
    assert "\n" not in text
    for each in words:
        assert each in text


def whole(data):
    """All images with the names of their classes, whatever part they are in."""
    labels = np.concatenate([data.y_train, data.y_test])
    return np.concatenate([data.x_train, data.x_test]), [data.class_names[label] for label in labels]


# --- folders -----------------------------------------------------------------------------------------------


def test_a_folder_of_classes(tmp_path):
    data = read_data(write_class_folder(tmp_path / "shapes", each=40))
    assert data.class_names == tuple(sorted(CLASSES))
    assert data.image_shape == (32, 32, 3)
    images, names = whole(data)
    assert len(images) == 40 * len(CLASSES)
    assert all(names.count(name) == 40 for name in CLASSES)
    assert 0.1 < len(data.x_test) / len(images) < 0.3
    assert data.facts.test_part
    assert data.facts.warnings == ()


@pytest.mark.parametrize(("train", "validation", "test"), [("train", "val", "test"), ("Training", "valid", "TESTING")])
def test_parts_that_are_folders(tmp_path, train, validation, test):
    for part, each, seed in ((train, 20, 0), (validation, 5, 1), (test, 8, 2)):
        write_class_folder(tmp_path / "s" / part, each=each, seed=seed)
    data = read_data(tmp_path / "s")
    assert (len(data.x_train), data.facts.validation, len(data.x_test)) == (75, 15, 24)
    assert not data.facts.test_part


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("png", {}),
        ("JPG", {"quality": 95}),
        ("jpeg", {"quality": 95}),
        ("bmp", {}),
        ("webp", {"lossless": True}),
        ("gif", {}),
        ("tif", {}),
        ("TIFF", {}),
    ],
)
def test_each_format(tmp_path, ending, options):
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(20):
            draw(name, number).save(tmp_path / name / f"a {number}.{ending}", **options)
    data = read_data(tmp_path)
    images, _ = whole(data)
    assert len(images) == 60
    wanted = np.stack([np.asarray(draw(name, 0)) for name in CLASSES]).mean()
    assert abs(images[0].astype(float).mean() - wanted) < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3), ("CMYK", 3), ("RGBA", 3), ("LA", 1), ("I;16", 1)]
)
def test_each_mode(tmp_path, mode, channels):
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(20):
            image = draw(name, number)
            if mode == "I;16":
                image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
            else:
                image = image.convert(mode)
            image.save(tmp_path / name / f"{number}.{'tif' if mode == 'CMYK' else 'png'}")
    data = read_data(tmp_path)
    assert data.image_shape == (32, 32, channels)
    grey = np.mean([np.asarray(draw(name, number).convert("L")).mean() for name in CLASSES for number in range(20)])
    assert abs(whole(data)[0].mean() - grey) < (40 if mode == "1" else 25)


def test_grey_that_is_stored_in_colour_is_grey(tmp_path):
    write_class_folder(tmp_path, each=20, change=lambda image: image.convert("L").convert("RGB"))
    assert read_data(tmp_path).image_shape == (32, 32, 1)


def test_transparent_parts_are_white(tmp_path):
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = np.zeros((32, 32, 4), np.uint8)
            pixels[number % 20, :, :] = 0, 0, 255, 255
            pixels[:, 3 * CLASSES.index(name), 3] = 255
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    images, _ = whole(read_data(tmp_path))
    assert (images[:, -1, -1] == 255).all()
    assert (images.reshape(-1, 3) == (0, 0, 255)).all(axis=1).any()


def test_a_turned_photo_is_upright(tmp_path):
    for number, name in enumerate(CLASSES):
        (tmp_path / name).mkdir()
        for each in range(20):
            pixels = np.full((20, 40, 3), 255, np.uint8)
            pixels[:, :10] = 200, each, number  # the left becomes the top
            exif = Image.Exif()
            exif[0x0112] = 6
            Image.fromarray(pixels).save(tmp_path / name / f"{each}.png", exif=exif)
    data = read_data(tmp_path)
    assert data.image_shape == (40, 20, 3)
    assert (whole(data)[0][:, 0, :, 0] == 200).all()
    assert (whole(data)[0][:, -1] == 255).all()


@pytest.mark.slow
def test_mixed_sizes_get_the_median(tmp_path):
    write_class_folder(tmp_path, each=20, change=lambda image: image.resize((60, 30)))
    for number in range(5):
        draw(CLASSES[0], number).resize((200, 150)).save(tmp_path / CLASSES[0] / f"large {number}.png")
    data = read_data(tmp_path)
    assert data.image_shape[:2] == (60, 60)
    assert data.facts.sizes == "letterboxed to 60×60"
    assert read_data(tmp_path, DataOptions(image_size=24)).image_shape[:2] == (24, 24)
    cut = read_data(tmp_path, DataOptions(image_size=24, crop=True))
    assert cut.facts.sizes == "cut to 24×24"
    assert cut.digest != data.digest


@pytest.mark.slow
@pytest.mark.parametrize("side", [8, 500])
def test_sizes_are_brought_within_the_limits(tmp_path, side):
    write_class_folder(tmp_path, each=20, change=lambda image: image.resize((side, side)))
    assert read_data(tmp_path).image_shape[:2] == ((16, 16) if side == 8 else (224, 224))


def test_names_of_any_alphabet_in_natural_order(tmp_path):
    names = ["10", "2", "a b", "Ärger", "猫", "dir[red]", "x" * 60]
    for number, name in enumerate(names):
        (tmp_path / name).mkdir()
        for each in range(20):
            draw(CLASSES[number % 3], 100 * number + each).save(tmp_path / name / f"{each}.png")
    data = read_data(tmp_path)
    assert set(data.class_names) == set(names)
    assert data.class_names[:2] == ("2", "10")


def test_what_is_no_image_is_left_alone_and_told(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=30)
    before = read_data(folder).digest
    first = folder / CLASSES[0]
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.png").write_bytes((first / "0.png").read_bytes())
    for name in ("Thumbs.db", ".DS_Store", "notes.txt"):
        (first / name).write_text("x")
    (folder / "readme.md").write_text("x")
    (folder / "lonely.png").write_bytes((first / "0.png").read_bytes())
    (tmp_path / "outside.png").write_bytes((first / "0.png").read_bytes())
    (first / "link.png").symlink_to(tmp_path / "outside.png")
    (first / "loop").symlink_to(tmp_path)
    (first / "endless.png").symlink_to("/dev/zero")
    data = read_data(folder)
    assert data.digest == before
    told = ", ".join(data.facts.left_alone)
    assert "3 links that are not followed" in told
    assert "1 of another kind" in told
    assert "1 images in no class's folder" in told


def test_a_link_within_the_data_is_read(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=30)
    (folder / CLASSES[0] / "again.png").symlink_to(folder / CLASSES[0] / "0.png")
    assert len(whole(read_data(folder))[0]) == 91


def test_nested_folders_belong_to_their_class(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=30)
    deep = folder / CLASSES[0] / "2024" / "may"
    deep.mkdir(parents=True)
    (folder / CLASSES[0] / "0.png").rename(deep / "0.png")
    _, names = whole(read_data(folder))
    assert names.count(CLASSES[0]) == 30


def test_unreadable_files_are_told_and_refused_above_the_share(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=40)
    (folder / CLASSES[0] / "empty.png").touch()
    (folder / CLASSES[1] / "cut.png").write_bytes((folder / CLASSES[1] / "0.png").read_bytes()[:60])
    (folder / CLASSES[2] / "text.jpg").write_text("no picture")
    data = read_data(folder)
    assert len(data.facts.unreadable) == 3
    assert any(each.startswith(f"{CLASSES[0]}/empty.png: ") for each in data.facts.unreadable)
    assert "3 of 123 image files cannot be read" in data.facts.warnings
    refused(folder, "3 of 123 image files cannot be read, more than the 1% that `unreadable_share`", unreadable=0.01)


def test_nothing_to_use(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=2)
    for file in folder.rglob("*.png"):
        file.write_text("x")
    refused(folder, "none of the 6 image files can be read; the first: circle/0.png")


def test_a_single_class_is_refused(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=30)
    for name in CLASSES[1:]:
        for file in (folder / name).iterdir():
            file.unlink()
    refused(folder, "at least 2 classes")


def test_what_is_doubtful_is_told(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=60)
    for number in range(57):
        (folder / CLASSES[0] / f"{number}.png").unlink()
    for number in range(40):
        (folder / CLASSES[1] / f"copy {number}.png").write_bytes((folder / CLASSES[1] / "0.png").read_bytes())
    (folder / "nothing").mkdir()
    (folder / CLASSES[2] / "odd.png").write_bytes((folder / CLASSES[1] / "0.png").read_bytes())
    told = " / ".join(read_data(folder).facts.warnings)
    for words in ("few training images of circle", "are copies of others", "no image in nothing"):
        assert words in told


# --- the test part -----------------------------------------------------------------------------------------


def sides(folder):
    data = read_data(folder)
    return dict.fromkeys(data.keys[0].tolist(), "train") | dict.fromkeys(data.keys[1].tolist(), "test")


@pytest.mark.slow
def test_an_image_keeps_its_side_as_the_set_grows(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=60)
    before = sides(folder)
    write_class_folder(folder, each=200, first=60)
    after = sides(folder)
    assert len(after) == 780
    assert {key: after[key] for key in before} == before


@pytest.mark.slow
def test_images_that_are_alike_stay_together(tmp_path):
    """Photos that were saved again, smaller or as JPEG, never lie on both sides."""
    generator = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(40):
            rough = Image.fromarray(generator.integers(0, 256, (24, 24, 3), np.uint8)).resize((96, 96))
            rough.save(tmp_path / name / f"{number}.png")
            rough.save(tmp_path / name / f"{number} again.jpg", quality=80)
    data = read_data(tmp_path)
    test = data.x_test.reshape(len(data.x_test), -1).astype(float)
    train = data.x_train.reshape(len(data.x_train), -1).astype(float)
    assert len(test) > 10
    assert min(np.abs(train - each).mean(axis=1).min() for each in test) > 20


@pytest.mark.slow
def test_groups_stay_together(tmp_path):
    rows = write_table(tmp_path / "t.csv", each=120, groups=12)
    data = read_data(tmp_path / "t.csv")
    by_group = {}
    for row in rows:
        by_group.setdefault(row["group"], set()).add(row["label"])
    assert data.train_groups is not None
    groups_in_training = len(np.unique(data.train_groups))
    assert 0 < groups_in_training < 12
    assert (np.bincount(np.unique(data.train_groups, return_inverse=True)[1]) == 30).all()


# --- tables ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_table(tmp_path, ending):
    write_table(tmp_path / f"t{ending}", each=30)
    data = read_data(tmp_path / f"t{ending}")
    assert data.class_names == tuple(sorted(CLASSES))
    assert len(whole(data)[0]) == 90
    assert read_data(tmp_path).digest == data.digest


def test_a_table_with_parts(tmp_path):
    write_table(tmp_path / "t.csv", each=30, split=True)
    data = read_data(tmp_path / "t.csv")
    assert (len(data.x_train), len(data.x_test)) == (60, 30)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("path,name\na.png,b\n", "must have a column label"),
        ("", "must have a column path"),
        ("path,label\n", "at least one image"),
        ("path,label\nimages/0.png,\n", "t.csv, row 2 must name a path and a label, but its label is empty"),
        ("path,label\n,circle\n", "t.csv, row 2 must name a path"),
        ("path,label,split\nimages/0.png,circle,tset\n", "row 2: split must be train, validation or test, not 'tset'"),
        ("path,label\n../secret.png,circle\n", "row 2: the path '../secret.png' must stay in the folder of the table"),
        ("path,label\n/etc/passwd,circle\n", "row 2: the path '/etc/passwd' must stay"),
        ("path,label\ngone.png,circle\n", "none of the 1 image files can be read"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path, content, words):
    (tmp_path / "t.csv").write_text(content)
    refused(tmp_path / "t.csv", words)


# --- archives ----------------------------------------------------------------------------------------------


def packed(folder, archive):
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for each in sorted(folder.rglob("*")):
                file.write(each, each.relative_to(folder.parent))
    else:
        with tarfile.open(archive, "w:gz" if archive.suffix != ".tar" else "w") as file:
            file.add(folder, folder.name)
    return archive


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz", "s.tgz", "s.tar", "S.ZIP"])
@pytest.mark.parametrize("kind", ["folder", "table"])
def test_an_archive(tmp_path, name, kind):
    folder = tmp_path / "inside"
    folder.mkdir()
    if kind == "folder":
        write_class_folder(folder, each=30)
    else:
        write_table(folder / "t.csv", each=30)
    plain = read_data(folder)
    archive = packed(folder, tmp_path / name)
    data = read_data(archive)
    assert data.digest == plain.digest
    assert data.name.lower() == "s"
    assert data.source == str(archive)


def test_nothing_of_an_archive_is_written_outside(tmp_path):
    archive = packed(write_class_folder(tmp_path / "in", each=30), tmp_path / "s.zip")
    with zipfile.ZipFile(archive, "a") as file:
        for name in ("../outside.png", "/tmp/outside-of-all.png", "a/../../outside.png", "C:\\outside.png"):
            file.writestr(name, b"x")
        link = zipfile.ZipInfo("in/circle/link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    assert len(whole(read_data(archive))[0]) == 90
    assert not list(tmp_path.rglob("*outside*"))


def test_an_archive_is_bounded(tmp_path, monkeypatch):
    archive = packed(write_class_folder(tmp_path / "in", each=30), tmp_path / "s.zip")
    monkeypatch.setattr(read, "LARGEST", 1000)
    refused(archive, "may take 1,000 bytes unpacked")


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz"])
def test_an_archive_that_is_none(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive at all")
    refused(tmp_path / name, "cannot be unpacked")


def test_an_error_in_an_archive_names_the_archive(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "t.csv").write_text("path,label\na.png,\n")
    archive = packed(tmp_path / "in", tmp_path / "s.zip")
    refused(archive, "t.csv, row 2")
    (tmp_path / "in" / "t.csv").write_text("a,b\n1,2\n")
    refused(packed(tmp_path / "in", tmp_path / "t.zip"), str(tmp_path / "t.zip"))


# --- prepared before ---------------------------------------------------------------------------------------


def test_what_was_prepared_is_taken_as_it_is(tmp_path, monkeypatch):
    folder = write_class_folder(tmp_path / "s", each=30)
    place, first = read_or_reuse(folder, DataOptions(), tmp_path / "data")
    monkeypatch.setattr("mnist_models.data.prepared.assemble_files", lambda *_: pytest.fail("it was decoded again"))
    again_place, again = read_or_reuse(folder, DataOptions(), tmp_path / "data")
    assert (again_place, again.digest, again.facts) == (place, first.digest, first.facts)
    moved = folder.rename(tmp_path / "elsewhere")
    assert read_or_reuse(moved, DataOptions(), tmp_path / "data")[1].name == "elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("change", ["content", "label", "options", "arrays", "record"])
def test_what_has_changed_is_prepared_anew(tmp_path, change):
    folder = write_class_folder(tmp_path / "s", each=30)
    place, first = read_or_reuse(folder, DataOptions(), tmp_path / "data")
    options = DataOptions()
    if change == "content":
        draw(CLASSES[0], 999).save(folder / CLASSES[0] / "0.png")
    elif change == "label":
        (folder / CLASSES[0] / "0.png").rename(folder / CLASSES[1] / "moved.png")
    elif change == "options":
        options = DataOptions(image_size=20)
    elif change == "arrays":
        np.save(place / "x_train.npy", np.zeros_like(first.x_train))
    else:
        for record in (tmp_path / "data" / "prepared").iterdir():
            record.write_text(json.dumps({"folder": "gone"}))
    _, again = read_or_reuse(folder, options, tmp_path / "data")
    assert (again.digest == first.digest) == (change in ("arrays", "record"))


@pytest.mark.slow
def test_a_table_of_numbers_that_pandas_has_written(tmp_path):
    rows = write_table(tmp_path / "t.csv", each=30)
    frame = pd.DataFrame(rows)
    frame["label"] = [float(CLASSES.index(label)) for label in frame["label"]]
    frame.to_parquet(tmp_path / "n.parquet")
    assert read_data(tmp_path / "n.parquet").facts.class_names == ()


# --- the process that reads --------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_killed_process_has_left_is_removed_by_the_next(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=20)
    (tmp_path / "data" / "made" / "4194305").mkdir(parents=True)  # no process has such a number
    (tmp_path / "data" / "made" / "4194305" / "large.npy").write_bytes(b"x")
    prepared = prepare_data(str(folder), tmp_path / "data", lambda _: None)
    assert prepared.dataset.class_names == tuple(sorted(CLASSES))
    assert not (tmp_path / "data" / "made").exists()


@pytest.mark.slow
def test_it_ends_with_its_parent(tmp_path):
    folder = write_class_folder(tmp_path / "s", each=20)
    os.mkfifo(folder / CLASSES[0] / "never.png")  # nobody writes to it: a reader that opened it would wait
    command = [sys.executable, "-m", "mnist_models.data", str(tmp_path / "data"), str(folder), "{}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        answer = json.loads(process.stdout.readline())
    assert "1 of 61 image files cannot be read" in answer["result"]["facts"]["warnings"]
    waiting = [sys.executable, "-c", ENDLESS, *command[3:]]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "reads\n"
        process.stdin.close()
        assert process.wait(60) == 1


ENDLESS = """
import threading
from mnist_models.data import __main__ as process

def read(*_):
    print("reads", flush=True)
    threading.Event().wait()

process.read_or_reuse = read
process.main()
"""
