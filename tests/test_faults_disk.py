"""Row 14: a disk that is full, as small file systems in memory are soon. Mounting one takes the right to."""

import os
import subprocess

import pytest
from fault_fixtures import THREE
from fault_place import compare, weights
from fault_report import recovering
from waiting import assert_gone, family, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

MEGABYTES = 48


@pytest.fixture
def small_disk(place):
    """The whole state of the place on a file system of its own."""
    state = place.home / "state"
    aside = place.home / "aside"
    state.rename(aside)
    state.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", state]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system here")
    try:
        for file in aside.iterdir():
            (state / file.name).write_bytes(file.read_bytes())
        yield state
    finally:
        place.end()
        subprocess.run(["umount", state], check=True)


def fill(folder):
    """Leave no room at all; gives the file to remove."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        block = b"0" * 65_536
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]
    return ballast


@pytest.mark.fault(14)
def test_a_full_disk_is_named_and_the_next_run_goes_on_from_the_checkpoint(control, place, small_disk, injection):
    place.environment["MLFLOW_PATIENCE"] = "2"
    process = place.train(",".join(THREE))
    wait_for(lambda: list(small_disk.glob("runs/middle-*/checkpoint.npz")))
    everyone = family(process.pid)
    ballast = fill(small_disk)
    status, output = place.wait()
    assert status == 1, output
    assert_gone(everyone)
    last = output.strip().splitlines()[-1]
    assert last.startswith("mnist: ")
    assert "full" in last or "No space left" in last, output
    assert "Traceback" not in output
    assert weights(place.run_folder("middle"))  # whole, whichever of the two it is
    assert not list(small_disk.rglob(".*.tmp*"))
    ballast.unlink()
    assert place.versions() == []
    with recovering(injection):
        status, output = place.finish(",".join(THREE))
    assert status == 0, output
    compare(control, place, THREE, injection)
