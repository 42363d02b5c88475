"""Waiting for what happens elsewhere. The limits only end what hangs: nothing is decided by how quick a machine is."""

import time

import psutil

SECONDS = 240.0


def wait_for(what, seconds: float = SECONDS, every: float = 0.05):
    """The first true answer of `what`, asked again and again."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(every)
    return answer


def family(pid: int) -> list[psutil.Process]:
    """The process and all below it; empty if it has ended."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def assert_gone(processes, seconds: float = SECONDS / 2) -> None:
    """All of them end by themselves; what does not is killed. One that imports TensorFlow looks up only after that."""
    left = [each for each in psutil.wait_procs(processes, seconds)[1] if each.status() != psutil.STATUS_ZOMBIE]
    for process in left:
        process.kill()
    assert not left
