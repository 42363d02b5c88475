"""The watched folder: what counts as new data, and when."""

import os
import shutil

import pytest
from homes import write_settings
from made_data import make_dataset, write_idx_folder, write_npz
from made_images import draw, write_class_folder

from mnist_models.data.sets.names import version_numbers
from mnist_models.data.sets.remove import remove
from mnist_models.data.sets.versions import all_versions
from tasks.config.settings import load_settings
from tasks.operations import data_watcher as watching
from tasks.operations.data_watcher import Watcher


@pytest.fixture
def told(monkeypatch):
    told = []
    monkeypatch.setattr(watching, "notify", lambda *_, **payload: told.append(payload))
    return told


@pytest.fixture
def folder(home):
    folder = home / "state" / "incoming"
    folder.mkdir(parents=True)
    return folder


def look_twice(watcher):
    watcher.look()
    watcher.look()


def test_new_content_is_told_of_once_with_its_digest(folder, told):
    watcher = Watcher(load_settings())
    look_twice(watcher)
    assert told == []
    made = make_dataset()
    write_npz(made, folder / "one.npz")
    watcher.look()
    assert told == []  # it may still be being copied
    watcher.look()
    assert told == [{"path": str(folder / "one.npz"), "digest": made.digest}]
    look_twice(watcher)
    look_twice(Watcher(load_settings()))  # after a restart
    assert len(told) == 1


def test_another_content_under_the_same_name_is_told_of_and_a_touched_file_is_not(folder, told):
    watcher = Watcher(load_settings())
    file = write_npz(make_dataset(), folder / "data.npz")
    look_twice(watcher)
    os.utime(file, (1, 1))
    look_twice(watcher)
    assert len(told) == 1
    other = make_dataset(seed=1)
    write_npz(other, file)
    look_twice(watcher)
    assert [each["digest"] for each in told][1:] == [other.digest]


def test_idx_files_are_one_data_set_and_the_newest_archive_wins(folder, told, tmp_path):
    made = make_dataset()
    for file in write_idx_folder(made, tmp_path / "idx").iterdir():
        shutil.copy(file, folder)
    watcher = Watcher(load_settings())
    look_twice(watcher)
    assert told == [{"path": str(folder), "digest": made.digest}]
    newer = make_dataset(seed=2)
    write_npz(newer, folder / "newer.npz")
    look_twice(watcher)
    assert told[-1]["digest"] == newer.digest


@pytest.mark.slow
def test_what_cannot_be_used_is_told_of_once_so_that_a_run_refuses_it(folder, told):
    broken = folder / "broken.npz"
    broken.write_bytes(b"nothing")
    watcher = Watcher(load_settings())
    for _ in range(2):
        look_twice(watcher)
    look_twice(Watcher(load_settings()))  # after a restart
    assert told == [{"path": str(broken), "digest": ""}]
    broken.write_bytes(b"nothing either")
    look_twice(watcher)
    assert len(told) == 2
    made = make_dataset()
    write_npz(made, broken)
    look_twice(watcher)
    assert told[2:] == [{"path": str(broken), "digest": made.digest}]


def test_hidden_files_are_no_data(folder, told):
    (folder / ".DS_Store").write_bytes(b"nothing")
    (folder / ".cut.npz").write_bytes(b"nothing")
    look_twice(Watcher(load_settings()))
    assert told == []


# --- into a named data set ---------------------------------------------------------------------------------


@pytest.fixture
def growing(home, folder):
    write_settings(home, more="watch_set: shapes\n")
    return load_settings().named_sets


@pytest.mark.slow
def test_new_content_is_added_to_the_named_data_set_and_its_version_is_told_of(growing, folder, told):
    watcher = Watcher(load_settings())
    for each in (3, 5):
        write_class_folder(folder, each=each)
        look_twice(watcher)
    first, second = all_versions(growing, "shapes")
    assert [payload["path"] for payload in told] == ["shapes@1", "shapes@2"]
    assert [payload["digest"] for payload in told] == [first.digest, second.digest]
    assert (first.images, second.images) == (9, 15)
    (folder / "circle" / "0.png").touch()
    look_twice(watcher)
    look_twice(Watcher(load_settings()))  # after a restart
    assert len(told) == 2
    remove(growing, "shapes", ["circle/0.png"], print)  # by hand: nobody has to be told
    look_twice(Watcher(load_settings()))
    assert len(told) == 2
    assert version_numbers(growing, "shapes") == [1, 2, 3]


@pytest.mark.slow
def test_a_version_that_was_made_but_not_told_of_is_told_of_after_a_restart(growing, folder, told, monkeypatch):
    write_class_folder(folder, each=3)
    with monkeypatch.context() as patch:

        def die(*_, **__):
            raise KeyboardInterrupt

        patch.setattr(watching, "notify", die)
        with pytest.raises(KeyboardInterrupt):
            look_twice(Watcher(load_settings()))
    assert version_numbers(growing, "shapes") == [1]
    look_twice(Watcher(load_settings()))
    assert [payload["path"] for payload in told] == ["shapes@1"]


@pytest.mark.slow
def test_a_broken_file_alone_is_no_reason_to_refuse_what_is_there(growing, folder, told):
    write_class_folder(folder, each=10)
    watcher = Watcher(load_settings())
    look_twice(watcher)
    draw("circle", 1, side=100).save(folder / "circle" / "cut.jpg")
    whole = (folder / "circle" / "cut.jpg").read_bytes()
    (folder / "circle" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    look_twice(watcher)
    assert [payload["path"] for payload in told] == ["shapes@1"]
    assert version_numbers(growing, "shapes") == [1]


def test_what_cannot_be_added_is_told_of_once(growing, folder, told):
    (folder / "broken.npz").write_bytes(b"nothing")
    for _ in range(2):
        look_twice(Watcher(load_settings()))
    assert told == [{"path": str(folder / "broken.npz"), "digest": ""}]
    assert version_numbers(growing, "shapes") == []


@pytest.mark.slow
def test_folders_in_the_watched_folder_are_looked_into(folder, told):
    write_class_folder(folder, each=20)
    watcher = Watcher(load_settings())
    look_twice(watcher)
    draw("circle", 999).save(folder / "circle" / "new.png")
    look_twice(watcher)
    assert [payload["path"] for payload in told] == [str(folder)] * 2
