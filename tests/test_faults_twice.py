"""Row 23: the same thing asked for twice at once."""

import subprocess
import sys

import pytest
from fault_place import compare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Beside:
    """A second command in the folder of a place."""

    def __init__(self, place):
        self.log = place.home / "second.txt"
        command = [sys.executable, "-m", "flows", "train", "--recipes", "small,middle", "--data", str(place.data)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=place.home, env=place.environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )

    def wait(self, seconds):
        return self.process.wait(seconds), self.log.read_text()


@pytest.mark.long
@pytest.mark.fault(23)
@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.faults)])
def test_two_commands_that_want_the_same_training_both_end_well(control, place, injection, rounds):
    injection.count = rounds
    for number in range(rounds):
        place.train("small,middle", *(["--force"] if number else []))
        second = Beside(place)
        for status, output in (place.wait(300), second.wait(300)):
            assert status == 0, output
            assert "Traceback" not in output
        parents = place.query("select count(*) from tags where key = 'suite'")
        assert parents == [(2 * (number + 1),)]
        assert place.query("select distinct status from runs") == [("FINISHED",)]
    if rounds == 1:
        compare(control, place, ["small", "middle"], injection)
