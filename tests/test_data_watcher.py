"""The watched folder: what counts as new data, and when."""

import os
import shutil

import pytest
from made_data import make_dataset, write_idx_folder, write_npz

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
