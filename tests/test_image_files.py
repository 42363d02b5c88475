import os

import pytest

from mnist_models.errors import InvalidInput
from mnist_models.images.files import image_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans" / "deep").mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", "c.jpeg", "notes.txt", "[x].png", "deep/d.png"):
        (tmp_path / "scans" / name).touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_stands_for_the_images_in_it_and_in_its_folders(folder):
    found = ["scans/[x].png", "scans/a.jpg", "scans/b.PNG", "scans/c.jpeg", "scans/deep/d.png"]
    assert image_files(["scans"]) == image_files(["./scans/"]) == found
    assert [each for each in image_files(["."]) if each.startswith("scans/")] == found


def test_what_people_have_not_put_there_is_left_alone(folder):
    for name in (".hidden.png", ".cache/e.png", "__MACOSX/f.png", "Thumbs.db", "._a.jpg"):
        (folder / "scans" / name).parent.mkdir(exist_ok=True)
        (folder / "scans" / name).touch()
    before = image_files(["scans"])
    assert len(before) == 5
    (folder / "elsewhere.png").touch()
    (folder / "scans" / "out.png").symlink_to(folder / "elsewhere.png")
    (folder / "scans" / "loop").symlink_to(folder)
    (folder / "scans" / "folder.png").symlink_to(folder / "scans" / "deep")
    assert image_files(["scans"]) == before
    (folder / "scans" / "within.png").symlink_to("deep/d.png")
    assert image_files(["scans"]) == [*before, "scans/within.png"]
    (folder / "link").symlink_to("scans")
    assert len(image_files(["link"])) == 6  # named by the user, unlike those in it
    assert image_files(["scans/out.png"]) == ["scans/out.png"]


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
    def closed(path):
        raise PermissionError(13, "Permission denied", "scans/deep")

    monkeypatch.setattr("mnist_models.images.files.os.scandir", closed)
    with pytest.raises(InvalidInput, match="files: the folder scans/deep cannot be read"):
        image_files(["scans"])


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("scans/*.jp*g", ["scans/a.jpg", "scans/c.jpeg"]),
        ("scans/?.PNG", ["scans/b.PNG"]),
        ("scans/*", ["scans/[x].png", "scans/a.jpg", "scans/b.PNG", "scans/c.jpeg"]),
        ("**/d.png", ["scans/deep/d.png"]),
    ],
)
def test_a_pattern_stands_for_what_it_matches(folder, pattern, found):
    assert image_files([pattern]) == found
    assert image_files([str(folder / pattern)]) == [str(folder / each) for each in found]


def test_files_stay_as_they_are_named_and_in_that_order(folder):
    given = ["./scans/c.jpeg", "scans/[x].png", "gone.png", "notes.txt", "gone.png"]
    assert image_files(given) == given
    assert image_files(["notes.txt", "scans", "gone.png"])[1:-1] == image_files(["scans"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "name at least one"),
        ([""], "an empty name is no file"),
        (["empty"], "the folder empty holds no image"),
        (["*.gif"], r"no image .* matches \*\.gif"),
    ],
)
def test_what_gives_no_image_is_refused(folder, given, words):
    with pytest.raises(InvalidInput, match=words):
        image_files(given)


def test_names_need_not_be_text(folder):
    name = os.fsdecode(b"scans/caf\xe9.png")
    (folder / name).touch()
    assert name in image_files(["scans"])
    assert image_files(["scans/caf*"]) == [name]
    assert image_files([name, "x" * 5000, "a\0b"]) == [name, "x" * 5000, "a\0b"]
