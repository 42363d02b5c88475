"""The thread that writes to MLflow: what it is called for at once, and portions in between."""

import threading
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from mnist_models.trainer_pool.cancellation import Cancellation
from mnist_models.trainer_pool.errors import TrainingCancelled
from tasks.flow_run import background_writer
from tasks.flow_run.background_writer import BUSY_SHARE, PAUSE_SECONDS, BackgroundWriter


class Clock:
    """Time that passes only where a test says so, and by what is waited for."""

    def __init__(self):
        self.now = self.worked = 0.0

    def monotonic(self):
        return self.now

    def thread_time(self):
        return self.worked


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(background_writer, "time", clock)
    monkeypatch.setattr(background_writer, "TICK_SECONDS", 0.001)
    return clock


class Pieces:
    """A source of so many portions; each takes its time of the clock."""

    def __init__(self, clock, count, seconds=0.1, failures=0):
        self.clock, self.left, self.seconds, self.failures = clock, count, seconds, failures
        self.written = []

    def write_portion(self):
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no answer")
        if not self.left:
            return False
        self.left -= 1
        self.clock.now += self.seconds
        self.clock.worked += self.seconds
        self.written.append(threading.current_thread().name)
        return True


@pytest.fixture
def backend():
    return SimpleNamespace(busy=False)


@pytest.fixture
def cancellation():
    return Cancellation()


@pytest.fixture
def writer(backend, cancellation):
    writer = BackgroundWriter(backend, cancellation)
    yield writer
    cancellation.cancel()
    writer.stop()


def test_all_is_done_in_one_thread_and_what_it_raises_is_raised(writer, clock):
    pieces = Pieces(clock, 3)
    writer.flush(pieces)
    assert writer.call(lambda: threading.current_thread().name) == "background writer"
    assert pieces.written == ["background writer"] * 3
    with pytest.raises(ZeroDivisionError):
        writer.call(lambda: 1 / 0)
    with pytest.raises(TimeoutError, match="of its own"):
        writer.call(lambda: _raise(TimeoutError("of its own")))


def _raise(error):
    raise error


def test_while_a_slot_is_free_nothing_waits(writer, clock):
    writer.flush(Pieces(clock, 100))
    assert clock.now == pytest.approx(10)


def test_while_all_trainers_work_it_takes_its_share_and_no_more(writer, clock, backend):
    backend.busy = True
    pieces = Pieces(clock, 1000)
    writer.follow(pieces)
    while clock.now < 100:
        writer.call(lambda: None)
        clock.now += 0.05
    assert 0.5 * BUSY_SHARE <= clock.worked / clock.now <= BUSY_SHARE * 1.1
    backend.busy = False
    writer.flush(pieces)  # and nothing holds it up once a slot is free
    assert pieces.left == 0


def test_what_is_called_for_goes_before_further_portions(writer, clock):
    endless = Pieces(clock, 10**9)
    writer.follow(endless)
    assert [writer.call(lambda number=number: number) for number in range(50)] == list(range(50))
    writer.unfollow(endless)
    writer.call(lambda: None)
    left = endless.left
    writer.call(lambda: None)
    assert endless.left == left


def test_a_failure_is_told_once_and_tried_again_after_a_pause(writer, clock, caplog):
    caplog.set_level("INFO")
    pieces = Pieces(clock, 3, failures=2)
    writer.follow(pieces)
    for _ in range(200):
        writer.call(lambda: None)
        clock.now += PAUSE_SECONDS / 20
    assert pieces.left == 0
    assert [record.getMessage() for record in caplog.records] == [
        "MLflow takes no records for now, which costs none: no answer",
        "MLflow takes records again",
    ]


def test_who_waits_for_the_rest_hears_of_a_failure_and_can_try_again(writer, clock):
    pieces = Pieces(clock, 3, failures=1)
    with pytest.raises(ConnectionError, match="no answer"):
        writer.flush(pieces)
    clock.now += PAUSE_SECONDS
    writer.flush(pieces)
    assert pieces.left == 0


def test_whoever_waits_is_released_when_the_flow_run_is_given_up(writer, cancellation):
    stalled = threading.Event()
    writer.post(lambda: stalled.wait(60))
    raised = []

    def wait():
        try:
            writer.call(lambda: None)
        except TrainingCancelled as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    cancellation.cancel()
    waiting.join(60)
    assert len(raised) == 1
    assert not stalled.is_set()  # the server that stalls was not waited for
    stalled.set()


def test_at_an_orderly_end_all_that_was_posted_is_done(backend, cancellation):
    writer, done = BackgroundWriter(backend, cancellation), []
    for number in range(100):
        writer.post(lambda number=number: done.append(number))
    writer.stop()
    assert done == list(range(100))
    with pytest.raises(TrainingCancelled):
        writer.call(lambda: None)


class Giver:
    """A source in whose portion the flow run is given up."""

    def __init__(self, cancellation):
        self.cancellation, self.begun = cancellation, threading.Event()

    def write_portion(self):
        self.cancellation.cancel()
        self.begun.set()
        return False


def test_given_up_amid_a_round_it_does_not_wait_for_the_next_source(writer, clock, cancellation):
    first, second = Giver(cancellation), Giver(cancellation)
    with writer._changed:  # so that both are in the same round
        writer._sources.update(dict.fromkeys((first, second)))
        writer._changed.notify()
    assert first.begun.wait(60)
    assert writer.stop()
    assert not second.begun.is_set()


def test_a_server_that_stalls_is_not_waited_for_when_all_is_given_up(backend, cancellation, monkeypatch):
    monkeypatch.setattr(background_writer, "STALL_SECONDS", 0.01)
    writer, stalled = BackgroundWriter(backend, cancellation), threading.Event()
    begun = threading.Event()
    writer.post(lambda: (begun.set(), stalled.wait(60)))
    begun.wait(60)
    cancellation.cancel()
    assert not writer.stop()
    stalled.set()


def test_it_speaks_in_the_context_of_who_made_it(backend, cancellation):
    variable = ContextVar("flow run")
    variable.set("this one")
    writer = BackgroundWriter(backend, cancellation)
    assert writer.call(variable.get) == "this one"
    writer.stop()


def test_a_source_that_fails_for_good_does_not_slow_the_others(writer, clock):
    writer.follow(Pieces(clock, 0, failures=10**9))
    pieces = Pieces(clock, 50)
    writer.flush(pieces)
    assert clock.now == pytest.approx(5)  # its own time only
