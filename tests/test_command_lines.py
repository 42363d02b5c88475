"""Commands that are shown are what a shell takes."""

import shlex

import pytest

from mnist_models.data.options import DataOptions
from tasks.config.command_lines import shown_program, train_command


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        ("", DataOptions(), []),
        ("photos", DataOptions(), ["--data", "photos"]),
        ("it's mine; rm", DataOptions(image_size=32), ["--data", "it's mine; rm", "--image-size", "32"]),
        ("-odd", DataOptions(crop=True, transposed=True), ["--data=-odd", "--crop", "--transposed"]),
    ],
)
def test_the_command_that_trains(data, options, words):
    assert shlex.split(train_command(data, options)) == [shown_program("mnist"), "train", *words]


def test_a_program_is_shown_as_it_is_called_from_here(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.executable", str(tmp_path / "a" / "bin" / "python"))
    assert shown_program("mnist") == str(tmp_path / "a" / "bin" / "mnist")
    monkeypatch.chdir(tmp_path)
    assert shown_program("mnist") == "a/bin/mnist"
