"""Named data sets: what an addition changes and what it does not, and what survives two at once and a kill."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from made_data import make_dataset, write_npz
from made_images import CLASSES, draw, write_class_folder, write_table
from PIL import Image

from mnist_models.data import prepared
from mnist_models.data.options import DataOptions
from mnist_models.data.prepared import set_or_reuse
from mnist_models.data.read import read_data
from mnist_models.data.sets.add import Addition, add, as_told, from_told
from mnist_models.data.sets.contents import set_version
from mnist_models.data.sets.names import Reference, named_version, pinned, set_names, version_numbers
from mnist_models.data.sets.plain_png import plain_png
from mnist_models.data.sets.remove import remove
from mnist_models.data.sets.rows import kept
from mnist_models.data.sets.sides import sides
from mnist_models.data.sets.versions import all_versions, read_version, rows_of
from mnist_models.errors import InvalidInput


def write_grey(folder, **how):
    """Write a folder by class; near duplicates are looked for faster without colours."""
    return write_class_folder(folder, **{"change": lambda image: image.convert("L")} | how)


@pytest.fixture
def sets(tmp_path):
    return tmp_path / "sets"


def added(sets, *paths, name="shapes", **how):
    return add(sets, Addition(name, tuple(map(str, paths)), **how), print)


def rows(sets, reference="shapes@latest"):
    version = read_version(sets, named_version(reference, sets))
    return {row.content: row for row in kept(rows_of(sets, version))}


def labels(sets, reference="shapes@latest"):
    return {row.name: row.label for row in rows(sets, reference).values()}


def objects(sets, name="shapes"):
    return sorted(file for file in (sets / name / "objects").rglob("*") if file.is_file())


def data_of(sets, tmp_path, reference="shapes@latest"):
    return set_or_reuse(sets, named_version(reference, sets), DataOptions(), tmp_path / "prepared")[1]


def everything(folder):
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


# --- what is added -----------------------------------------------------------------------------------------


def test_the_first_version_says_what_it_holds(sets, tmp_path):
    result = added(sets, write_grey(tmp_path / "june", each=12))
    assert result.is_new
    version = result.version
    assert (str(version), version.images, version.classes) == ("shapes@1", 36, dict.fromkeys(CLASSES, 12))
    assert version.added == version.classes
    assert (version.removed, version.relabelled) == ({}, ())
    assert sum(version.parts.values()) == 36
    assert version.size == sum(file.stat().st_size for file in objects(sets))
    assert version.sources == (str(tmp_path / "june"),)
    assert from_told(json.loads(json.dumps(as_told(result)))) == result


def test_the_same_again_changes_nothing(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=5)
    added(sets, june)
    before = everything(sets)
    shutil.copytree(june, tmp_path / "copy")
    result = added(sets, tmp_path / "copy", june)
    assert not result.is_new
    assert str(result.version) == "shapes@1"
    assert everything(sets) == before


def test_only_what_is_new_is_kept(sets, tmp_path):
    added(sets, write_grey(tmp_path / "june", each=5))
    before = everything(sets / "shapes" / "objects")
    version = added(sets, write_grey(tmp_path / "july", each=7)).version
    assert version.added == dict.fromkeys(CLASSES, 2)
    after = everything(sets / "shapes" / "objects")
    assert after.items() > before.items()
    assert len(after) == 21


def test_a_correction_is_a_version_and_leaves_the_earlier_one_as_it_was(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=5)
    added(sets, june)
    moved = june / "circle" / "0.png"
    side = rows(sets)[next(content for content, row in rows(sets).items() if row.name == "circle/0.png")].part
    moved.rename(june / "square" / "wrong.png")
    version = added(sets, june).version
    assert (version.added, version.removed) == ({}, {})
    assert version.relabelled == (("circle", "square", 1),)
    assert labels(sets)["circle/0.png"] == "square"
    assert labels(sets, "shapes@1")["circle/0.png"] == "circle"
    assert next(row.part for row in rows(sets).values() if row.name == "circle/0.png") == side


def test_equal_images_are_one_and_of_two_labels_the_last_counts(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=5)
    shutil.copy(june / "circle" / "0.png", june / "circle" / "again.png")
    shutil.copy(june / "circle" / "1.png", june / "square" / "other.png")
    result = added(sets, june)
    assert result.version.images == 15
    assert labels(sets)["circle/1.png"] == "square"
    assert any("2 are copies" in note for note in result.notes)
    assert any("1 contradict an equal image" in note and "square/other.png" in note for note in result.notes)


def test_arrays_become_images_without_a_loss(sets, tmp_path):
    made = make_dataset(classes=4, side=16, train=60, test=20)
    added(sets, write_npz(made, tmp_path / "made.npz"), name="made")
    found = data_of(sets, tmp_path, "made")
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    assert found.class_names == made.class_names
    assert not added(sets, tmp_path / "made.npz", name="made").is_new


@pytest.mark.parametrize("shape", [(1, 1), (16, 20), (300, 400), (7, 9, 3), (200, 200, 3)])
def test_a_plain_png_is_what_it_was_made_of(shape, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    (tmp_path / "image.png").write_bytes(plain_png(image))
    with Image.open(tmp_path / "image.png") as read:
        read.load()
        np.testing.assert_array_equal(np.asarray(read), image)


def test_other_sizes_and_kinds_come_together(sets, tmp_path):
    added(sets, write_grey(tmp_path / "june", each=10, change=lambda image: image.convert("L")))
    added(sets, write_grey(tmp_path / "july", each=10, seed=1, change=lambda image: image.resize((50, 40))))
    data = data_of(sets, tmp_path)
    assert len(data.x_train) + len(data.x_test) == 60
    assert data.image_shape[2] == 3


def test_what_cannot_be_read_is_left_out_and_told_of_and_too_much_of_it_is_refused(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=10)
    draw("circle", 99, side=200).save(june / "circle" / "cut.jpg")
    whole = (june / "circle" / "cut.jpg").read_bytes()
    (june / "circle" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    result = added(sets, june)
    assert result.version.images == 30
    assert any(note.startswith("1 file cannot be used") and "cut.jpg" in note for note in result.notes)
    for number in range(5):
        (june / "circle" / f"text{number}.png").write_text("no image")
    before = everything(sets)
    with pytest.raises(InvalidInput, match=r"data: 5 of 36 image files cannot be read"):
        added(sets, june)
    assert everything(sets) == before
    assert not added(sets, june, options=DataOptions(unreadable=0.5)).is_new


@pytest.mark.parametrize("what", ["nothing", "text", "archive"])
def test_what_is_no_data_leaves_no_data_set(sets, tmp_path, what):
    (tmp_path / "text").write_text("no data")
    (tmp_path / "archive.zip").write_bytes(b"no archive")
    with pytest.raises(InvalidInput, match=r"^data: "):
        added(sets, tmp_path / (what + ".zip" * (what == "archive")))
    assert set_names(sets) == []
    assert [file.name for file in sets.iterdir()] == [".locks"]


# --- sides -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_image_keeps_its_side_however_the_set_grows(sets, tmp_path):
    whole = write_grey(tmp_path / "all", each=60)
    seen = {}
    for number in range(4):
        for name in CLASSES:
            for file in sorted((whole / name).iterdir())[number::4]:
                target = tmp_path / "part" / name / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
        version = added(sets, tmp_path / "part").version
        now = {content: row.part for content, row in rows(sets).items()}
        assert now.items() >= seen.items()
        seen = now
        data = data_of(sets, tmp_path)
        assert (len(data.x_train), len(data.x_test)) == (version.parts["train"], version.parts["test"])
    assert 0.1 < sum(part == "test" for part in seen.values()) / len(seen) < 0.3


def test_stated_parts_are_sides_and_an_image_that_is_there_keeps_its_own(sets, tmp_path):
    for part, each, seed in (("train", 8, 0), ("val", 3, 1), ("test", 4, 2)):
        write_grey(tmp_path / "s" / part, each=each, seed=seed)
    version = added(sets, tmp_path / "s").version
    assert version.parts == {"train": 24, "validation": 9, "test": 12}
    data = data_of(sets, tmp_path)
    assert (len(data.x_train), data.facts.validation, len(data.x_test)) == (33, 9, 12)
    shutil.move(tmp_path / "s" / "train", tmp_path / "t" / "test")
    write_grey(tmp_path / "t" / "train", each=2, seed=3)
    result = added(sets, tmp_path / "t")
    assert result.version.parts == {"train": 30, "validation": 9, "test": 12}
    assert any("24 keep the side" in note for note in result.notes)
    write_grey(tmp_path / "u" / "train", each=9, seed=4)  # a part to test on is there already
    assert added(sets, tmp_path / "u").version.parts["train"] == 57


def test_a_set_of_training_images_alone_gets_a_part_to_test_on(sets, tmp_path):
    write_grey(tmp_path / "s" / "train", each=30)
    version = added(sets, tmp_path / "s").version
    assert version.parts["test"] > 5


@pytest.mark.slow
def test_a_photo_that_was_saved_again_joins_the_side_of_the_first(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=40, change=lambda image: image.resize((96, 96)))
    added(sets, june)
    first = {row.name: row.part for row in rows(sets).values()}
    assert set(first.values()) == {"train", "test"}
    for name in CLASSES:
        (tmp_path / "july" / name).mkdir(parents=True)
        for file in (june / name).iterdir():
            with Image.open(file) as image:
                image.save(tmp_path / "july" / name / f"{file.stem}.jpg", quality=80)
    added(sets, tmp_path / "july")
    again = {row.name: row.part for row in rows(sets).values() if row.name.endswith(".jpg")}
    assert len(again) == 120
    assert all(first[name.replace(".jpg", ".png")] == part for name, part in again.items())


@pytest.mark.slow
def test_a_member_of_a_group_joins_the_side_of_its_group(sets, tmp_path):
    for folder, first in (("june", 0), ("july", 1000)):
        (tmp_path / folder).mkdir()
        table = tmp_path / folder / "labels.csv"
        lines = write_table(table, each=40, groups=10)
        for line in lines:  # other images of the same writers
            number = int(Path(line["path"]).stem)
            draw(line["label"], first + number).save(tmp_path / folder / line["path"])
        added(sets, table)
    assert len(rows(sets)) == 240
    by_group = {}
    for row in rows(sets).values():
        by_group.setdefault(row.group, set()).add(row.part)
    assert len(by_group) == 10
    assert all(len(parts) == 1 for parts in by_group.values())
    assert set().union(*by_group.values()) == {"train", "test"}


def test_what_resembles_both_sides_is_trained_on():
    alike = np.array([0, 1, 0, 0, 4], np.int64)
    keys = np.array([0, 0, 0, 0, 2**63], np.uint64)
    assert sides(["train", "test", "test", "", ""], alike, [""] * 5, keys) == [
        "train",
        "test",
        "test",
        "train",
        "train",
    ]
    assert sides(["", "", "test"], np.array([0, 1, 2]), ["a", "", "a"], keys[:3]) == ["test", "test", "test"]


# --- what is removed ---------------------------------------------------------------------------------------


def test_what_is_removed_stays_in_the_earlier_version_and_returns_to_its_side(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=6)
    added(sets, june)
    first = {content: row.part for content, row in rows(sets).items()}
    version = remove(sets, "shapes", ["circle/*", str(june / "square" / "1.png")], print)
    assert (version.number, version.removed, version.added) == (2, {"circle": 6, "square": 1}, {})
    assert version.images == 11
    assert len(rows(sets, "shapes@1")) == 18
    version = added(sets, june).version
    assert version.added == {"circle": 6, "square": 1}
    assert {content: row.part for content, row in rows(sets).items()} == first
    assert version.digest == read_version(sets, Reference("shapes", 1)).digest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("nowhere.png", "nowhere.png is no image of shapes"),
        ("abcdef0123", "abcdef0123 is no image of shapes"),
        ("x*", "x* is no image"),
        ("0.png", "2 images of shapes were called 0.png; give the content instead"),
    ],
)
def test_what_is_no_image_or_several_is_not_removed(sets, tmp_path, wanted, words):
    for number, folder in enumerate(("a", "b")):
        write_table(table := tmp_path / f"{folder}.csv", each=1)
        draw("circle", number).save(tmp_path / "0.png")
        table.write_text(f"path,label\n0.png,{folder}\n")
        added(sets, table)
    before = everything(sets)
    with pytest.raises(InvalidInput) as refusal:
        remove(sets, "shapes", ["*", wanted], print)
    assert words in str(refusal.value)
    assert everything(sets) == before
    contents = [*rows(sets)]
    assert remove(sets, "shapes", [contents[0][:12]], print).images == 1


# --- a watched folder --------------------------------------------------------------------------------------


def test_files_that_stay_in_a_watched_folder_undo_no_correction_and_no_removal(sets, tmp_path):
    watched = write_grey(tmp_path / "watched", each=4)
    added(sets, watched, watched=True)
    shutil.copytree(watched / "circle", tmp_path / "fix" / "square")
    added(sets, tmp_path / "fix")
    remove(sets, "shapes", ["triangle/0.png"], print)
    assert not added(sets, watched, watched=True).is_new
    draw("circle", 77).save(watched / "circle" / "new.png")
    version = added(sets, watched, watched=True).version
    assert (version.added, version.relabelled) == ({"circle": 1}, ())
    assert labels(sets)["circle/0.png"] == "square"


def test_archives_and_folders_in_a_watched_folder_are_added(sets, tmp_path):
    watched = write_grey(tmp_path / "watched", each=4)
    write_grey(tmp_path / "more", each=4, seed=1)
    shutil.make_archive(str(watched / "more"), "zip", tmp_path / "more")
    assert added(sets, watched, watched=True).version.images == 24


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_name_is_its_newest_version_and_a_path_a_path(sets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for each in (2, 3):
        added(sets, write_grey(tmp_path / "june", each=each))
    assert pinned("shapes", sets) == pinned("shapes@latest", sets) == pinned("shapes@2", sets) == "shapes@2"
    assert pinned("shapes@1", sets) == "shapes@1"
    for path in ("", "june", "./shapes", "/nowhere", "a b", "june/circle"):
        assert pinned(path, sets) == path
    (tmp_path / "shapes").mkdir()
    with pytest.raises(InvalidInput, match=r"^data: shapes is a data set and also a path .* shapes@latest .*\./shapes"):
        pinned("shapes", sets)
    assert pinned("shapes@latest", sets) == "shapes@2"
    assert pinned("./shapes", sets) == "./shapes"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("shapes@3", "shapes@3 is not there; the data set shapes has version 1."),
        ("shapes@0", "has version 1"),
        ("shape", "shape is neither a path nor a named data set; the data sets are shapes."),
        ("shape@1", "shape@1 is neither"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(sets, tmp_path, given, words):
    added(sets, write_grey(tmp_path / "june", each=2))
    with pytest.raises(InvalidInput) as refusal:
        pinned(given, sets)
    assert words in str(refusal.value)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a@1", "a b", "ä", "a" * 101, "a\n"])
def test_names_that_would_be_paths_or_options_are_refused(sets, tmp_path, name):
    with pytest.raises(InvalidInput, match=r"^name: "):
        added(sets, write_grey(tmp_path / "june", each=2), name=name)
    assert not sets.exists()


# --- reading -----------------------------------------------------------------------------------------------


def test_a_set_is_read_as_the_folder_would_be(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=20)
    added(sets, june)
    data, direct = data_of(sets, tmp_path), read_data(june)
    np.testing.assert_array_equal(data.x_train, direct.x_train)
    np.testing.assert_array_equal(data.y_test, direct.y_test)
    assert data.keys[0].tolist() == direct.keys[0].tolist()
    assert (data.name, data.source, data.facts.version) == ("shapes", "shapes@1", "shapes@1")
    assert data.facts.version_digest == read_version(sets, Reference("shapes", 1)).digest


def test_what_was_prepared_before_is_not_opened_again(sets, tmp_path, monkeypatch):
    added(sets, write_grey(tmp_path / "june", each=5))
    first = data_of(sets, tmp_path)
    monkeypatch.setattr(prepared, "files_of", lambda *_: pytest.fail("the files were read"))
    assert data_of(sets, tmp_path).digest == first.digest
    added(sets, write_grey(tmp_path / "june", each=5), name="other")
    other = data_of(sets, tmp_path, "other")
    assert (other.name, other.facts.version) == ("other", "other@1")


def test_a_content_that_is_damaged_is_named_and_put_back_by_adding_it_again(sets, tmp_path):
    june = write_grey(tmp_path / "june", each=5)
    added(sets, june)
    content, row = next(iter(rows(sets).items()))
    file = sets / "shapes" / "objects" / content[:2] / content[2:]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(InvalidInput, match=rf"data: shapes@1: the content of {row.name} is missing or damaged"):
        data_of(sets, tmp_path)
    added(sets, june)
    assert len(data_of(sets, tmp_path).x_train)


@pytest.mark.parametrize("what", ["rows", "versions"])
def test_a_record_that_is_damaged_is_refused(sets, tmp_path, what):
    added(sets, write_grey(tmp_path / "june", each=5))
    file = next((sets / "shapes" / what).iterdir())
    file.write_bytes(b"{}")
    with pytest.raises(InvalidInput, match=r"^data: shapes@1: .* cannot be read"):
        data_of(sets, tmp_path)


def test_a_set_without_an_image_to_test_on_is_refused_with_what_to_do(sets, tmp_path):
    added(sets, write_grey(tmp_path / "june", each=20))
    remove(sets, "shapes", [row.content for row in rows(sets).values() if row.part == "test"], print)
    with pytest.raises(InvalidInput, match=r"shapes@2 holds \d+ images, but none to test on"):
        data_of(sets, tmp_path)
    assert set_version(sets, Reference("shapes", 1)).images == 60


# --- two at once, and a kill -------------------------------------------------------------------------------


def adding(sets, path):
    """The start of a process that adds to the data set."""
    command = [sys.executable, "-m", "mnist_models.data", "--add", sets, "shapes", DataOptions().to_json(), path]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )  # it ends when its standard input does, which `communicate` would close


def ended(process):
    """Its exit status."""
    status = process.wait(120)
    for pipe in (process.stdin, process.stdout):
        pipe.close()
    return status


@pytest.mark.slow
def test_two_additions_at_once_are_two_versions(sets, tmp_path):
    folders = [write_grey(tmp_path / str(seed), each=15, seed=seed) for seed in (1, 2, 3)]
    running = [adding(sets, folder) for folder in folders]
    assert [ended(each) for each in running] == [0, 0, 0]
    versions = all_versions(sets, "shapes")
    assert [(version.number, version.images) for version in versions] == [(1, 45), (2, 90), (3, 135)]
    assert {version.sources[0] for version in versions} == {str(folder) for folder in folders}


def test_what_waits_for_another_says_so(sets, tmp_path, monkeypatch):
    from mnist_models.data.sets import lock

    monkeypatch.setattr(lock, "SECONDS_BEFORE_SAYING", 0.01)
    said, ended = threading.Event(), []

    def wait():
        with lock.locked_set(sets, "shapes", lambda _: said.set()):
            ended.append(True)

    with lock.locked_set(sets, "shapes", print):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert said.wait(30)
        assert not ended
    waiting.join(30)
    assert ended


KILLED_AT = ("keep_all", "write_thumbnails", "write_version", "os.replace", "os.sync", "write_atomically", "write_rows")


@pytest.mark.slow
@pytest.mark.parametrize("at", KILLED_AT)
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_leaves_the_set_as_it_was_and_the_next_addition_works(sets, tmp_path, at, after):
    """The process really ends there, before or after the step, without any clean-up."""
    june, july = (write_grey(tmp_path / name, each=8, seed=seed) for seed, name in enumerate(("june", "july")))
    added(sets, june)
    before = rows(sets)
    owner = {"os.replace": "os", "os.sync": "os", "write_atomically": "versions", "write_rows": "versions"}.get(
        at, "add"
    )
    code = f"""
import os, sys
from pathlib import Path
from mnist_models.data.sets import add, versions
step = getattr({owner}, {at.removeprefix("os.")!r})
def kill(*given, **more):
    if {after}:
        step(*given, **more)
    os._exit(9)
setattr({owner}, {at.removeprefix("os.")!r}, kill)
add.add(Path({str(sets)!r}), add.Addition("shapes", ({str(july)!r},)), print)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 9
    whole = after and at in ("write_version", "write_atomically")
    assert version_numbers(sets, "shapes") == ([1, 2] if whole else [1])
    assert rows(sets, "shapes@1") == before
    assert added(sets, july).version.number == 2
    assert len(rows(sets)) == 48
    assert list((sets / "shapes").glob(".work-*")) == []
    assert len(data_of(sets, tmp_path).x_train)


@pytest.mark.slow
def test_kills_at_random_moments_leave_a_set_that_works(sets, tmp_path):
    generator = random.Random(5)
    seconds = []
    for seed in range(6):
        folder = write_grey(tmp_path / str(seed), each=10, seed=seed)
        began = time.monotonic()
        process = adding(sets, folder)
        if seed and seed % 2:
            # Not a wait for something to happen: any moment will do.
            try:
                process.wait(generator.uniform(0.3, 1.1) * seconds[0])
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        seconds.append(time.monotonic() - began)
        for version in all_versions(sets, "shapes"):
            assert len(kept(rows_of(sets, version))) == version.images
    assert len(data_of(sets, tmp_path).x_train)
    for seed in range(6):
        added(sets, tmp_path / str(seed))
    assert len(rows(sets)) == 180
