from tasks.progress.snapshot import Observer, Snapshot


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
    assert snapshot.beside_bar(80) == "0%  accuracy 50.0%"


def test_beside_a_bar_there_is_as_much_as_there_is_room_for():
    snapshot = Snapshot(12345, 100000, 0.9, 123456.0, 3661)
    assert snapshot.beside_bar(60) == "12%  accuracy 90.0%  1:01:01 left"
    assert snapshot.beside_bar(80) == "12%  accuracy 90.0%  123k img/s  1:01:01 left"
    assert snapshot.beside_bar(200) == "step 12,345 of 100,000  accuracy 90.0%  123k img/s  1:01:01 left"
