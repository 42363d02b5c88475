import io

from rich.console import Console

from tasks.flow_run.progress import Display, Observer, Snapshot


def records(first, last, milliseconds=10):
    return [
        {"step": s, "time": s * milliseconds, "train/accuracy": 0.5, "train/loss": 1.0} for s in range(first, last + 1)
    ]


def test_speed_accuracy_and_time_left_follow_from_the_records():
    observer = Observer(steps=1000, batch_size=50)
    assert observer.see([]) is None
    observer.see(records(1, 100))
    snapshot = observer.see([*records(101, 200), {"step": 200, "time": 2001, "validation/accuracy": 0.9}])
    assert (snapshot.step, snapshot.steps, snapshot.share, snapshot.accuracy) == (200, 1000, 0.2, 0.5)
    assert round(snapshot.images_per_second) == 5000
    assert round(snapshot.seconds_left) == 8


def test_the_first_steps_tell_no_pace():
    snapshot = Observer(steps=1000, batch_size=50).see(records(1, 2))
    assert str(snapshot) == "step 2 of 1,000, accuracy 50.0%"
    assert snapshot.short == "2/1,000 50.0%"


def test_without_a_terminal_there_are_plain_lines_and_not_too_many():
    out = io.StringIO()
    display = Display(Console(file=out, force_terminal=False, width=80))
    with display.shown():
        for step in range(1, 50):
            display.update("net", Snapshot(step, 1000, 0.9, 1234.0, 61))
        display.done("net", "finished")
    assert out.getvalue().splitlines() == [
        "net: step 1 of 1,000, accuracy 90.0%, 1,234 images/s, 0:01:01 left",
        "net: finished",
    ]


def test_a_terminal_gets_a_bar_that_fits_80_columns():
    out = io.StringIO()
    display = Display(Console(file=out, force_terminal=True, width=80, no_color=True))
    with display.shown():
        display.update("relu_dropout_diverged", Snapshot(12345, 100000, 0.9, 123456.0, 3661))
        display._progress.refresh()
    bars = [line for line in out.getvalue().replace("\r", "\n").splitlines() if "12,345/100,000" in line]
    assert bars
    assert "90.0%" in bars[0]
    assert "123k img/s" in bars[0]
    assert "1:01:01" in bars[0]
