"""`mnist predict` as it is used: files, folders and patterns, odd names, bad files, thousands of them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from flow_runs import image_of
from homes import environment_of, write_settings
from PIL import Image
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import get_current_settings

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.slow
ODD = [b"scan[copy].png", b"dir [/red].png", b"caf\xe9.png", b"two\nlines.png", b"=cmd|x.png", b"\x1b[31mred.png"]


@pytest.fixture
def mnist(trained, tmp_path):
    def run(*arguments):
        environment = environment_of(trained, PREFECT_API_URL=get_current_settings().api.url, COLUMNS="150")
        command = [BIN / "mnist", "predict", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250)

    return run


def flow_runs():
    with get_client(sync_client=True) as client:
        latest_first = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=200)
        return [run for run in latest_first if run.name.startswith("predict")]


@pytest.mark.long
def test_a_folder_with_odd_names_and_bad_files(mnist, tmp_path):
    folder = tmp_path / "scans"
    for number, name in enumerate(ODD):
        file = folder / os.fsdecode(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        Path(image_of(tmp_path, number)).rename(file)
    (folder / "bad.png").write_text("no image")
    result = mnist("--json", "scans")
    assert (result.returncode, result.stderr) == (1, "")
    rows = json.loads(result.stdout)
    assert len(rows) == len(ODD) + 1
    assert [row["file"] for row in rows if row["problem"]] == ["scans/bad.png"]
    assert {"scans/scan[copy].png", "scans/dir [/red].png", "scans/caf\\xe9.png"} <= {row["file"] for row in rows}
    assert flow_runs()[0].state.is_completed()
    table = mnist("scans/*", "scans/dir [/red].png")
    assert (table.returncode, table.stderr) == (1, "")
    shown = ("scan[copy].png", "dir [/red].png", "caf\\xe9.png", "two\\nlines.png", "\\x1b[31mred.png", "bad.png is")
    assert [name for name in shown if name not in table.stdout] == []
    assert "By small" in table.stdout


@pytest.mark.long
def test_thousands_of_files(mnist, tmp_path):
    file = image_of(tmp_path, 0)
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    Path(file).rename(deep / "0.png")
    result = mnist("--json", *[str(deep / "0.png")] * 6000)
    assert result.returncode == 0
    assert all(line.startswith("predictions: ") for line in result.stderr.splitlines())
    assert len(json.loads(result.stdout)) == 6000
    assert "0.png and 5,999 more" in flow_runs()[0].name


def test_where_nothing_can_be_used_no_flow_run_begins(mnist, tmp_path):
    before = len(flow_runs())
    Image.new("L", (16, 16)).save(tmp_path / "blank.png")
    result = mnist("blank.png")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "mnist: blank.png: image must show something, but all its pixels are alike.\n"
    (tmp_path / "a.png").write_text("no image")
    result = mnist("a.png", "gone.png")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "mnist: none of the 2 files can be used; the first: a.png is not an image in PNG, JPEG, BMP,"
        " WebP, GIF or TIFF format, the only ones"
        " allowed.\n"
    )
    assert len(flow_runs()) == before


COLOURS = {"blue": (20, 20, 220), "green": (20, 220, 20), "red": (220, 20, 20)}


def write_colours(folder, each, seed):
    """Noise of one colour, in folders by the names of the colours."""
    random = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(each):
            picture = colour + random.integers(-20, 20, (16, 20, 3))
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def colours(prefect_server, tmp_path_factory):
    """A folder in which a recipe was trained on pictures in colour, in folders by class; gives what runs there."""
    home = tmp_path_factory.mktemp("colours")
    write_settings(home)
    write_colours(home / "colours", 40, seed=0)
    environment = environment_of(home, PREFECT_API_URL=get_current_settings().api.url, COLUMNS="150")

    def run(*arguments):
        return subprocess.run(
            [BIN / "mnist", *arguments], cwd=home, env=environment, capture_output=True, text=True, timeout=250
        )

    trained = run("train", "--data", "colours", "--recipes", "small")
    assert trained.returncode == 0, trained.stdout + trained.stderr
    run.home = home
    return run


@pytest.mark.long
def test_a_folder_in_colour_with_a_damaged_file(colours):
    folder = write_colours(colours.home / "new" / "deep", 3, seed=1).parent
    whole = (folder / "deep" / "red" / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    as_json = colours("predict", "new", "--json")
    assert (as_json.returncode, as_json.stderr) == (1, "")
    rows = json.loads(as_json.stdout)
    assert [row["file"] for row in rows if row["problem"]] == ["new/cut.png"]
    assert len(rows) == 10
    for row in rows[1:]:
        assert [each["name"] for each in row["top_3"]][:2] == [row["name"], row["runner_up_name"]]
        assert {each["name"] for each in row["top_3"]} == set(COLOURS)
        assert row["name"] == [*COLOURS][row["label"]] == Path(row["file"]).parent.name

    as_csv = colours("predict", "new", "--output", "found.csv")
    assert (as_csv.returncode, as_csv.stderr) == (1, "")
    assert as_csv.stdout == "9 of 10 images predicted by version 1: found.csv\n"
    table = list(csv.DictReader((colours.home / "found.csv").read_text().splitlines()))
    for column in ("file", "name", "runner_up_name"):
        assert [each[column] for each in table] == [row[column] or "" for row in rows]
    assert [each["third_name"] for each in table[1:]] == [row["top_3"][2]["name"] for row in rows[1:]]
    assert "cut.png is damaged" in table[0]["problem"]
    assert not [*colours.home.glob("found.csv.*")]

    on_screen = colours("predict", "new")
    assert [name for name in COLOURS if name not in on_screen.stdout] == []
    assert "cut.png is damaged" in on_screen.stdout
    assert "By small, test-model version 1." in on_screen.stdout
