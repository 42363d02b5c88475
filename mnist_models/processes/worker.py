"""A child process that takes jobs as lines of JSON, one at a time; its other end is `worker_loop`."""

import json
import select
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, ClassVar

from mnist_models.errors import InvalidInput
from mnist_models.processes.child_environment import inherited_environment
from mnist_models.processes.import_path import python_command

POLL_SECONDS = 0.25


class ProcessDied(RuntimeError):
    """It ended before it answered."""


class JobFailed(RuntimeError):
    """The job raised an exception, whose traceback is the message."""


class WorkerProcess:
    """Starts at once, so that its imports overlap with what the parent does."""

    module: ClassVar[str]
    title: ClassVar[str]
    died: ClassVar[type[Exception]] = ProcessDied
    failed: ClassVar[type[Exception]] = JobFailed

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        # TensorFlow leaves files in the temporary directory when it is killed, which is how these processes end.
        self._scratch = tempfile.TemporaryDirectory(prefix=f"mnist-{self.title}-", ignore_cleanup_errors=True)
        with log.open("ab") as stderr:
            self._log_start = stderr.tell()
            environment = inherited_environment() | dict(environment) | self._own_folders()
            command = python_command(self.module)
            self._process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=stderr, env=environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin, self._process.stdout

    def _own_folders(self) -> dict[str, str]:
        """Keras reads the user's settings in its home, such as another type of all numbers; here it finds none."""
        return {"TMPDIR": self._scratch.name, "KERAS_HOME": str(Path(self._scratch.name) / "keras")}

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take a job."""
        return self._process.poll() is None

    def do(self, line: str, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Have the job of this line done, calling `while_waiting` about four times a second meanwhile.

        Raises:
            self.died: the process ended before it answered.
            self.failed: the job raised.
            InvalidInput: the job refused its input.
        """
        try:
            self._jobs.write(line.encode())
            self._jobs.flush()
        except OSError:
            raise self._death() from None
        while not select.select([self._answers], [], [], POLL_SECONDS)[0]:
            while_waiting()
        answer_line = self._answers.readline()
        if not answer_line:
            raise self._death()
        answer: dict[str, Any] = json.loads(answer_line)
        if "refused" in answer:
            raise InvalidInput(answer["refused"])
        if not answer["ok"]:
            raise self.failed(answer["error"])

    def _death(self) -> Exception:
        code = self._process.wait()
        if code < 0:
            return self.died(f"{self.title} process {self.pid} was ended by signal {-code}")
        words = self._log.read_bytes()[self._log_start :].decode(errors="replace").strip().splitlines()[-1:]
        return self.died(f"{self.title} process {self.pid} ended with exit status {code}: {''.join(words)}")

    @property
    def was_killed(self) -> bool:
        """Whether a signal has ended it, its own fault's or the system's for want of memory."""
        return (self._process.poll() or 0) < 0

    def kill(self) -> None:
        """End it; whoever waits for its answer is told."""
        self._process.kill()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        with suppress(BrokenPipeError):  # of a job that it did not live to read
            self._jobs.close()
        self._scratch.cleanup()
