"""Rows in a file: written as they come, gone on with after a kill, in memory that stays as it is."""

import csv
import io
import json
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from answering import CERTAIN, NAMES, TORN, champion, version
from PIL import Image
from rich.console import Console
from test_photos import drawn

from mnist_models.errors import InvalidInput
from tasks import predict
from tasks.progress.display import Display
from tasks.progress.tally import Tally
from tasks.supervision import image_predictions
from tasks.supervision.kept_rows import kept_rows
from tasks.supervision.rows_file import COLUMNS, LinesFile


@pytest.fixture
def serving(monkeypatch):
    """The version that serves; its tags may be changed. What goes to Prefect is in `shown`."""
    registered, shown = version(temperature="1.0"), []
    monkeypatch.setattr(predict, "image_champion", lambda _tracker: champion(monkeypatch, registered))
    monkeypatch.setattr(predict, "create_table_artifact", lambda rows, **_: shown.append(rows))
    registered.shown = shown
    return registered


@pytest.fixture
def scans(tmp_path):
    """Six images, one of them in a folder of the folder."""
    made = tmp_path / "scans"
    (made / "deep").mkdir(parents=True)
    for number in range(6):
        name = made / ("deep" if number == 5 else "") / f"{number}.png"
        Image.fromarray(255 - np.asarray(drawn(number).resize((60, 60)))).save(name)
    return made


def batch(flow_run, folder, output=""):
    files, file = predict.check_folder(str(folder), output)
    return predict.predict_folder.fn(flow_run, folder, files, file)


def rows_in(file):
    return list(csv.DictReader(file.read_text().splitlines()))


def test_a_folder_becomes_a_table_with_names_doubts_and_problems(pictures, answers, serving, flow_run):
    name = os.fsdecode(b"caf\xe9.png")
    (pictures / "one.png").rename(pictures / name)
    answers.said += [CERTAIN, TORN]
    result = batch(flow_run, pictures)
    assert (result["predicted"], result["unusable"], result["version"]) == (2, 2, "7")
    output = Path(result["output"])
    assert output == pictures / "predictions.csv"
    assert tuple(next(csv.reader(output.read_text().splitlines()))) == COLUMNS
    rows = {row["file"]: row for row in rows_in(output)}
    assert set(rows) == {"blank.png", "caf\\xe9.png", "text.png", "two.png"}
    certain, torn, blank = rows["caf\\xe9.png"], rows["two.png"], rows["blank.png"]
    assert (certain["label"], certain["unsure"], certain["several_marks"]) == ("1", "False", "False")
    assert (certain["name"], certain["runner_up_name"], certain["third_name"]) == ("bee", "Kätzchen", "ape")
    assert (certain["third"], certain["third_probability"]) == ("0", "0.01")
    assert (torn["label"], torn["unsure"], torn["several_marks"]) == ("1", "True", "True")
    assert (blank["label"], blank["name"], blank["probability"], blank["third"], blank["unsure"]) == ("",) * 5
    assert "it is blank" in blank["problem"]
    assert "2 of 4 images predicted by version 7" in flow_run.out.getvalue()
    (shown,) = serving.shown
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert [row["name"] for row in shown] == ["", "bee", "", "bee"]
    assert not {"label", "runner_up", "third"} & shown[0].keys()
    assert sorted(file.name for file in pictures.glob("*.csv*")) == ["predictions.csv"]


class Killed(BaseException):
    """As if the process had ended."""


def kill_after(monkeypatch, count):
    """Have the model killed when it is asked for the portion after so many, of one image each."""
    monkeypatch.setattr(image_predictions, "MOST_AT_ONCE", 1)
    opened = image_predictions.opened_model
    left = [count]

    def model(flow_run, registered):
        manager = opened(flow_run, registered)
        ask = manager.__enter__()

        def mortal(images):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return ask(images)

        return Given(mortal)

    monkeypatch.setattr(image_predictions, "opened_model", model)
    return lambda: monkeypatch.setattr(image_predictions, "opened_model", opened)


class Given:
    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *_):
        pass


@pytest.fixture
def killed(scans, answers, serving, flow_run, monkeypatch):
    """What a run leaves that was killed after four of six images; gives its part of the output."""
    answers.said += [CERTAIN, TORN, CERTAIN, TORN]
    mend = kill_after(monkeypatch, 4)
    with pytest.raises(Killed):
        batch(flow_run, scans)
    mend()
    assert not (scans / "predictions.csv").exists()
    answers.asked.clear()
    return scans / "predictions.csv.part"


def asked(answers):
    return sum(map(len, answers.asked))


def test_what_was_answered_is_not_asked_again(killed, scans, answers, flow_run):
    answers.said += [[0.9, 0.06, 0.04]] * 2
    assert batch(flow_run, scans)["predicted"] == 6
    assert asked(answers) == 2
    rows = rows_in(scans / "predictions.csv")
    assert [row["file"] for row in rows] == [*(f"{number}.png" for number in range(5)), "deep/5.png"]
    assert [row["name"] for row in rows] == ["bee"] * 4 + ["ape"] * 2
    assert [row["probability"] for row in rows] == ["0.97", "0.6", "0.97", "0.6", "0.9", "0.9"]
    assert "4 of 6 images were answered before the last run was ended" in flow_run.out.getvalue()
    assert not killed.exists()
    answers.asked.clear()
    answers.said += [CERTAIN] * 6
    batch(flow_run, scans)  # a run that has ended is not gone on with
    assert asked(answers) == 6


def test_a_line_that_a_kill_has_cut_is_asked_again(killed, scans, answers, flow_run):
    content = killed.read_bytes()
    for damage in (content[:-20], content[:-20] + b"\0" * 20, content[:-1]):
        killed.write_bytes(damage)
        answers.said += [CERTAIN] * 3
        assert batch(flow_run, scans)["predicted"] == 6
        assert asked(answers) == 3
        assert len(rows_in(scans / "predictions.csv")) == 6
        answers.asked.clear()


@pytest.mark.parametrize("changed", ["version", "run_id", "temperature", "class_names", "preparation"])
def test_another_champion_is_asked_everything(killed, scans, answers, serving, flow_run, changed):
    if changed in ("version", "run_id"):
        setattr(serving, changed, "8")
    else:
        tags = {"temperature": "2.0", "class_names": json.dumps(NAMES[::-1])}
        tags["preparation"] = serving.tags["preparation"].replace("28", "32")
        serving.tags[changed] = tags[changed]
    answers.said += [CERTAIN] * 6
    assert batch(flow_run, scans)["predicted"] == 6
    assert asked(answers) == 6


def test_a_file_that_has_changed_or_could_not_be_read_is_looked_at_again(killed, scans, answers, flow_run):
    Image.fromarray(255 - np.asarray(drawn(4))).save(scans / "0.png")
    later = (scans / "1.png").stat().st_mtime_ns + 1000
    os.utime(scans / "1.png", ns=(later, later))
    (scans / "2.png").unlink()
    Image.fromarray(255 - np.asarray(drawn(4))).save(scans / "new.png")
    answers.said += [CERTAIN] * 5
    assert batch(flow_run, scans)["predicted"] == 6
    assert asked(answers) == 5
    assert [row["file"] for row in rows_in(scans / "predictions.csv")] == [
        "0.png", "1.png", "3.png", "4.png", "deep/5.png", "new.png",
    ]  # fmt: skip


def test_a_problem_is_not_kept(tmp_path):
    with suppress(Killed), kept_rows(tmp_path / "a.csv", {}) as kept:
        kept.add("a", {"problem": "a is damaged."})
        kept.add("b", {"problem": None})
        assert kept["a"]["problem"] == "a is damaged."
        raise Killed
    with kept_rows(tmp_path / "a.csv", {}) as kept:
        assert ("a" in kept, "b" in kept) == (False, True)


def test_two_runs_do_not_write_one_file(tmp_path):
    with kept_rows(tmp_path / "a.csv", {}) as kept:
        with (
            pytest.raises(InvalidInput, match=r"a\.csv is being written by another run"),
            kept_rows(tmp_path / "a.csv", {}),
        ):
            pass
        kept.add("a", {"problem": None})
        assert kept["a"] == {"problem": None}


def test_a_file_of_somebody_else_is_left_alone(tmp_path):
    other = tmp_path / "a.csv.part"
    for content in (b"half a download", b"{}\n", b"[1]\n"):
        other.write_bytes(content)
        with pytest.raises(InvalidInput, match=r"a\.csv\.part is in the way"), kept_rows(tmp_path / "a.csv", {}):
            pass
        assert other.read_bytes() == content
    other.unlink()
    other.mkdir()
    with pytest.raises(InvalidInput, match=r"a\.csv\.part cannot be written"), kept_rows(tmp_path / "a.csv", {}):
        pass


def test_where_nothing_can_be_used_nothing_is_written(tmp_path, answers, serving, flow_run):
    (tmp_path / "a.png").write_text("no image")
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(InvalidInput, match=r"^none of the 2 files can be used; the first: a\.png is not an image"):
        batch(flow_run, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_files_become_lines_or_a_table(scans, tmp_path, answers, serving, flow_run, name):
    answers.said += [CERTAIN, TORN]
    files = [str(scans / "0.png"), "gone.png", str(scans / "1.png")]
    told = predict.predict_into.fn(flow_run, files, tmp_path / name)
    assert (told["predicted"], told["unusable"]) == (2, 1)
    assert predict.written(told) == "2 of 3 images predicted by version 7"
    if name == "rows.csv":
        assert [row["file"] for row in rows_in(tmp_path / name)] == files
    else:
        lines = LinesFile(tmp_path / name)
        assert [row["file"] for row in lines] == [row["file"] for row in lines] == files
        assert [each["name"] for each in next(iter(lines))["top_3"]] == ["bee", "Kätzchen", "ape"]


def test_prefect_gets_a_thousand_rows(tmp_path, answers, serving, flow_run, monkeypatch):
    monkeypatch.setattr(predict, "MOST_ROWS_SHOWN", 3)
    Image.fromarray(np.asarray(drawn(0))).save(tmp_path / "a.png")
    answers.said += [CERTAIN] * 5
    predict.predict_into.fn(flow_run, [str(tmp_path / "a.png")] * 5, tmp_path / "rows.csv")
    assert len(rows_in(tmp_path / "rows.csv")) == 5
    assert [len(rows) for rows in serving.shown] == [3]


@pytest.mark.parametrize(
    ("given", "words"),
    [("", "folder: nothing is not a folder"), ("gone", "folder: gone is not a folder"), ("empty", "holds no image")],
)
def test_a_folder_without_images_is_refused(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=words):
        predict.check_folder(given, "")


def test_progress_is_told_now_and_then(flow_run, monkeypatch):
    now, told = 1000.0, []
    monkeypatch.setattr("tasks.progress.tally.time.monotonic", lambda: now)  # of the display as well
    update = "tasks.progress.artifact.ProgressArtifact.update"
    monkeypatch.setattr(update, lambda _, share, _text, last=False: told.append((round(1200 * share), last)))
    with Tally(flow_run.display, flow_run.prefect, 1200, 200) as tally:
        for _ in range(100):
            tally.count()
        assert flow_run.out.getvalue() == ""
        for _ in range(5):
            now += 10
            tally.count()
            flow_run.prefect.submit(str).result()
    assert flow_run.out.getvalue().splitlines() == [
        "predictions: 301 of 1,200 images, 10 images/s, 0:01:29 left",
        "predictions: 302 of 1,200 images, 5.1 images/s, 0:02:56 left",
        "predictions: 304 of 1,200 images, 2.6 images/s, 0:05:45 left",
    ]  # the pauses grow
    flow_run.prefect.submit(str).result()
    assert told == [*((count, False) for count in range(301, 306)), (305, True)]


def test_progress_is_a_bar_on_a_terminal(flow_run, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("tasks.progress.tally.time.monotonic", lambda: now)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None, legacy_windows=False)
    display = Display(console)

    def drawn_now():
        with console.capture() as captured:
            console.print(display._look())
        return captured.get().strip()

    with Tally(display, flow_run.prefect, 1200) as tally:
        for _ in range(120):
            now += 0.01
            tally.count()
        (line,) = drawn_now().splitlines()
        assert "━" in line
        assert re.search(r"\d+ of 1,200  100 img/s  0:00:11 left$", line)
    assert drawn_now() == ""
