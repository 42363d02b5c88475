"""Work that can wait: at once while a core is free, a little at a time while none is."""

from types import SimpleNamespace

import pytest

from mnist_models.trainer_pool.pool import PoolClosed
from tasks.flow_run import leisure
from tasks.flow_run.leisure import BUSY_SHARE, Leisure


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self):
        self.now = self.worked = 0.0

    def monotonic(self):
        return self.now

    def thread_time(self):
        return self.worked

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(leisure, "time", clock)
    return clock


@pytest.fixture
def pool():
    return SimpleNamespace(busy=False, check_open=lambda: None)


def pieces(clock, count, seconds):
    left = [count]

    def work():
        if not left[0]:
            return False
        left[0] -= 1
        clock.now += seconds
        clock.worked += seconds
        return True

    return work


def test_while_a_core_is_free_nothing_waits(clock, pool):
    Leisure(pool).finish(pieces(clock, 100, 0.1))
    assert clock.now == pytest.approx(10)


def test_while_all_trainers_work_it_takes_its_share_and_no_more(clock, pool):
    pool.busy = True
    Leisure(pool).finish(pieces(clock, 20, 0.1))
    assert clock.worked / clock.now == pytest.approx(BUSY_SHARE, rel=0.1)


def test_several_share_the_share(clock, pool):
    pool.busy = True
    turns, works = Leisure(pool), [pieces(clock, 1000, 0.1) for _ in range(4)]
    while clock.now < 100:
        for work in works:
            turns.offer(work)
        clock.sleep(0.25)
    assert clock.worked / clock.now <= BUSY_SHARE * 1.1


def test_whoever_waits_is_released_when_the_flow_run_ends(clock, pool):
    def closed():
        raise PoolClosed("given up")

    pool.busy, pool.check_open = True, closed
    with pytest.raises(PoolClosed):
        Leisure(pool).finish(pieces(clock, 20, 0.1))
