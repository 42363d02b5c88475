"""What `mnist predict` prints, and what it gives to Prefect; no server is asked."""

import json
import os
import re
from pathlib import Path

import pytest
from commands import mnist_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_shown_text import NAMES

from flows.cli.predict import MOST_IN_RECORDS, _print_json, _print_table, _recordable
from mnist_models.errors import InvalidInput
from mnist_models.shown_text import as_unicode, on_screen
from tasks.predict import listed_files

MODEL = {"model": "digits", "version": "7", "recipe": "small", "temperature": 1.5, "unsure_below": 0.95}
ANSWER = {"label": 3, "name": "cat[red]", "probability": 0.9876, "problem": None}
ANSWER |= {"runner_up": 5, "runner_up_name": "dog", "runner_up_probability": 0.0101}
NO_ANSWER = dict.fromkeys([*ANSWER, "unsure", "several_marks", "probabilities"])


def row(file="a.png", unsure=False, several=False, **more):
    return {"file": file} | ANSWER | {"unsure": unsure, "several_marks": several, "probabilities": []} | MODEL | more


def printed(capsys, *rows):
    _print_table(rows)
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")


def test_an_answer_comes_with_its_doubts_and_what_they_mean(capsys):
    text = printed(capsys, row(unsure=True), row("b.png", several=True))
    assert "98.8%" in text
    assert "1.0%" in text
    for words in ("unsure: the calibrated probability is below 95%", "several marks: ", "By small, digits version 7."):
        assert words in text
    uncalibrated = printed(capsys, row(unsure=True, temperature=None))
    assert "unsure: the uncalibrated probability is below 95%." in uncalibrated
    assert "unsure" not in printed(capsys, row())


def test_classes_are_called_by_their_names(capsys):
    line = printed(capsys, row()).splitlines()[3]
    assert line.split() == ["a.png", "cat[red]", "98.8%", "dog", "1.0%"]


def test_thousands_of_rows_are_printed_page_by_page(capsys, monkeypatch):
    monkeypatch.setattr("flows.cli.predict.PAGE", 3)
    text = printed(capsys, *(row(f"{number}.png") for number in range(6)), row("last.png", unsure=True))
    assert [line.split()[0] for line in text.splitlines() if ".png" in line] == [
        *(f"{number}.png" for number in range(6)), "last.png",
    ]  # fmt: skip
    assert text.count("doubt, problem") == 3  # the same columns on each
    assert text.count("unsure: ") == 1


@pytest.mark.parametrize("count", [1, 3])
def test_json_is_a_list_as_before(capsys, count):
    rows = [row(f"é{number}.png") for number in range(count)]
    _print_json(iter(rows))
    assert capsys.readouterr().out == json.dumps(rows, indent=2) + "\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("a.png", "output: a.png must end with .csv or .jsonl"),  # as where a shell has put images in its place
        ("gone/a.csv", "output: gone/a.csv is not a file in an existing folder"),
        ("caf\udce9.csv", "output: caf.xe9.csv is no valid text"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_started(home, output, words):
    result = mnist_here("predict", "a.png", "--output", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(f"mnist: {words}.*\n$", result.stderr)
    assert [file.name for file in home.iterdir() if file.suffix != ".yml"] == []


def test_an_output_is_not_printed_too(home):
    result = mnist_here("predict", "a.png", "--output", "a.csv", "--json")
    assert (result.returncode, result.stdout) == (2, "")
    assert "a file that ends with .jsonl has the same" in result.stderr


def test_a_problem_stands_beside_its_file(capsys):
    line = next(
        line
        for line in printed(
            capsys, row(), {**row("bad.png"), **NO_ANSWER, "problem": "bad.png is damaged."}
        ).splitlines()
        if "bad" in line
    )
    assert line.split()[0] == "bad.png"
    assert line.rstrip().endswith("bad.png is damaged.")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES)
def test_any_name_is_printed_on_one_line(capsys, name):
    assert on_screen(name).split() == printed(capsys, row(as_unicode(name))).splitlines()[3].split()[:-4]


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_any_names_reach_the_flow(names):
    with _recordable(names) as parameters:
        json.dumps(parameters, ensure_ascii=False).encode()
        assert parameters.get("files") or listed_files(parameters["list_file"]) == names


def test_thousands_of_names_reach_the_flow():
    names = [f"{number}.png" for number in range(MOST_IN_RECORDS)]
    with _recordable(names) as parameters:
        assert len(json.dumps(parameters)) < 1000
        assert listed_files(parameters["list_file"]) == names
    assert not Path(parameters["list_file"]).exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\udcff"])
def test_a_list_that_is_none_is_refused(tmp_path, content):
    file = tmp_path / "files.json"
    file.write_bytes(os.fsencode(content))
    with pytest.raises(InvalidInput, match="must be a JSON file that holds a list of paths"):
        listed_files(str(file))
