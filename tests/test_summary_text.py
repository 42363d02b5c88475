"""What a flow run comes to, in words; no server is asked."""

from made_summary import CHAMPION, FAILED, row, summary

from tasks.tracking.summary_text import MOST_ROWS, cells, remarks, spread_lines, to_markdown, verdict


def test_a_row_says_what_was_trained_and_how_well():
    assert cells(row()) == ("net", "7,850", "99.12%", "98.76% (98.50–99.00)", "1.2", "finished")
    assert cells(FAILED) == ("broken", "–", "–", "–", "–", "failed")
    assert cells(row(validation_accuracy=float("nan")))[2] == "–"


def test_what_the_table_has_no_room_for_is_said_below():
    assert remarks(summary(row(first_nan_step=1799), FAILED)) == [
        "net: NaN from step 1,799 on",
        "broken: no such layer",
    ]


def test_it_is_said_how_pixels_were_understood_unless_that_is_plain():
    assert remarks(summary(row(), pixels="integers from 0 to 255")) == []
    assert remarks(summary(row(), pixels="floats from 0 to 1")) == ["Pixels: floats from 0 to 1."]


def test_the_verdict_names_champion_and_reason():
    assert verdict(summary(row())) == [
        "Champion: net, model version 3, test accuracy 98.76%.",
        "The best of this run, net, was promoted: it is better.",
    ]
    nothing = summary(
        FAILED, best=None, champion=None, decision={"promoted": False, "reason": "no recipe has finished"}
    )
    assert verdict(nothing) == ["Champion: none.", "Of this run nothing was promoted: no recipe has finished."]
    unknown = summary(row(), champion=CHAMPION | {"test_accuracy": None})
    assert verdict(unknown)[0] == "Champion: net, model version 3."


def test_repeats_are_told_with_their_spread():
    repeated = summary(row(), spread={"net": {"mean": 0.9952, "sd": 0.0004, "seeds": 3}})
    assert spread_lines(repeated) == ["net: 99.52% ± 0.04 points over 3 seeds"]


def test_markdown_begins_with_the_verdict_and_links_each_run():
    text = to_markdown(summary(row(), FAILED), "http://mlflow")
    assert text.startswith("Trained **quick** on MNIST.\n\nChampion: net")
    assert "[net](http://mlflow/#/experiments/1/runs/run-net?" in text
    assert "\n| broken | – |" in text
    assert text.index("no such layer") < text.index("| recipe |") < text.index("[All curves together](")


def test_a_reason_is_no_markdown():
    text = to_markdown(summary(row(), FAILED | {"reason": "ValueError: <b>| `x_train`\n[4](y)"}, data="a|*b*_"), "")
    assert "on a\\|\\*b\\*\\_." in text
    assert "broken: ValueError: \\<b\\>\\| \\`x_train\\`\\\\n\\[4\\](y)" in text


def test_a_long_table_is_cut_and_says_so():
    text = to_markdown(summary(*(row(f"net{number}") for number in range(MOST_ROWS + 5))), "")
    assert f"net{MOST_ROWS - 1}" in text
    assert "… and 5 more, in `comparison.csv`." in text
    assert f"| [net{MOST_ROWS}]" not in text
