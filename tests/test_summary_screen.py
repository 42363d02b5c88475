"""The last screen of `mnist train`."""

import io

import pytest
from made_summary import FAILED, row, summary
from rich.console import Console

from flows.cli.summary_screen import print_summary
from tasks.config.settings import Settings

NAMES = ("relu_dropout_diverged (12)", "fast_conv_net (0)")


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    for name in ("PREFECT_API_URL", "PREFECT_UI_URL"):
        monkeypatch.delenv(name, raising=False)


def screen(home, width, *rows, **changes):
    """What is printed on a terminal of that width."""
    told = summary(*rows, mlflow_run_id="ab12", flow_run_id="cd34", **changes)
    out = io.StringIO()
    print_summary(Console(file=out, width=width), Settings.at(home), told)
    return out.getvalue()


@pytest.mark.parametrize(
    ("width", "shown", "left_out"),
    [
        (60, ("validation", "test", "status"), ("parameters", "seconds")),
        (80, ("validation", "test accuracy, 95 %", "status"), ("parameters",)),
        (200, ("parameters", "validation", "test accuracy, 95 %", "seconds", "status"), ()),
    ],
)
def test_what_decides_is_shown_at_every_width(tmp_path, width, shown, left_out):
    text = screen(tmp_path, width, *(row(name, parameters=3_274_634) for name in NAMES), FAILED)
    heading = " ".join(text.splitlines()[:3])
    assert all(words in heading for words in shown)
    assert not any(words in heading for words in left_out)
    assert text.count("99.12%") == 2
    table, _, _ = text.partition("Start the servers")
    assert max(map(len, table.splitlines())) <= width
    for name in NAMES:
        assert name in table or width == 60  # where it takes two lines


def test_it_says_which_accuracy_decides_where_there_is_something_to_decide(tmp_path):
    sentence = "The accuracy in validation decides"
    assert sentence in screen(tmp_path, 80, row(), row("other"))
    assert sentence not in screen(tmp_path, 80, row(), FAILED)


def test_it_names_the_one_command_that_opens_both_uis_first(tmp_path):
    _, _, text = screen(tmp_path, 80, row()).partition("Start the servers to see it:\n")
    lines = text.splitlines()
    assert lines[0].endswith("mnist up")
    assert "http://127.0.0.1:5000/#/experiments/1/runs?" in lines[2]
    assert "/runs/ab12" in lines[3]
    assert "/runs/flow-run/cd34" in lines[5]


def test_servers_that_run_already_are_not_to_be_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example:4200/api")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it, and it would win
    settings = Settings.at(tmp_path, tracking_uri="http://mlflow.example:5000")
    out = io.StringIO()
    print_summary(Console(file=out, width=200), settings, summary(row(), mlflow_run_id="ab12", flow_run_id="cd34"))
    assert "Start the servers" not in out.getvalue()
    assert "http://mlflow.example:5000/#" in out.getvalue()
    assert "http://prefect.example:4200/runs/flow-run/cd34" in out.getvalue()
