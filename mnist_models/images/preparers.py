"""Many image files, prepared by processes side by side: to find the ink on a photo takes a core 50 ms, and the lock.

A file that ends its process, as a fault in a decoder can, costs its own row only.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock

from mnist_models.images.prepare import Preparation
from mnist_models.images.prepare_file import Outcome, PrepareJob, outcome_of, read_outcomes
from mnist_models.processes.worker import ProcessDied, WorkerProcess
from mnist_models.shown_text import on_screen

FEW = 48  # files that take about as long as the start of a process
CHUNK = 16  # files of one job: a second for photos
AHEAD = 3  # jobs for each process that are done or begun before their turn, which bounds the memory
LOOK_SECONDS = 0.25  # between looks whether the work has been given up
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # of each process; there is one for each core


@dataclass(frozen=True)
class Crew:
    """How many processes may prepare, and where they write what libraries print."""

    size: int
    logs: Path


class Preparer(WorkerProcess):
    """One process."""

    module, title = "mnist_models.images", "preparer"


def prepared_files(
    files: Sequence[str], preparation: Preparation, crew: Crew, check: Callable[[], None]
) -> Generator[Outcome, None, None]:
    """Yield what becomes of each file, in their order; few of them are held at a time.

    `check` is called now and then and may raise to end it.
    """
    size = min(crew.size, len(files) // CHUNK)
    if size < 2 or len(files) <= FEW:
        for file in files:
            check()
            yield outcome_of(file, preparation)
        return
    chunks = (files[start : start + CHUNK] for start in range(0, len(files), CHUNK))
    with TemporaryDirectory() as folder:
        preparers = _Preparers(preparation, Crew(size, crew.logs), Path(folder))
        executor = ThreadPoolExecutor(size)
        waiting: deque[Future[Sequence[Outcome]]] = deque()
        try:
            for chunk in chunks:
                waiting.append(executor.submit(preparers.prepare, chunk))
                if len(waiting) > AHEAD * size:
                    yield from _result(waiting.popleft(), check)
            while waiting:
                yield from _result(waiting.popleft(), check)
        finally:
            preparers.kill()
            executor.shutdown(cancel_futures=True)
            preparers.stop()


def _result(future: Future[Sequence[Outcome]], check: Callable[[], None]) -> Sequence[Outcome]:
    check()
    while wait([future], timeout=LOOK_SECONDS).not_done:
        check()
    return future.result()


class _Preparers:
    """The processes; each is started when it is first needed, and again when it has died."""

    def __init__(self, preparation: Preparation, crew: Crew, folder: Path) -> None:
        self._preparation, self._logs, self._folder = preparation.to_json(), crew.logs, folder
        self._processes: list[Preparer | None] = [None] * crew.size
        self._idle: SimpleQueue[int] = SimpleQueue()
        for number in range(crew.size):
            self._idle.put(number)
        self._starting, self._ended = Lock(), False

    def prepare(self, files: Sequence[str]) -> Sequence[Outcome]:
        """Return what becomes of some files; each thread that calls it has a process of its own meanwhile."""
        number = self._idle.get()
        try:
            return self._prepare(number, files)
        finally:
            self._idle.put(number)

    def _prepare(self, number: int, files: Sequence[str]) -> Sequence[Outcome]:
        preparer = self._preparer(number)
        output = self._folder / f"{number}.npz"
        try:
            preparer.do(PrepareJob(list(files), self._preparation, str(output)).to_line())
        except ProcessDied:
            if self._ended or not preparer.was_killed:
                raise
            if len(files) == 1:
                name = on_screen(Path(files[0]).name)
                return [f"{name} cannot be used: the process that read it was ended by the system or by a fault in it."]
            return [outcome for file in files for outcome in self._prepare(number, [file])]
        outcomes = read_outcomes(output)
        output.unlink()
        return outcomes

    def _preparer(self, number: int) -> Preparer:
        with self._starting:
            if self._ended:
                raise ProcessDied("no more files are to be prepared")
            preparer = self._processes[number]
            if preparer is None or not preparer.alive:
                if preparer is not None:
                    preparer.stop()
                preparer = self._processes[number] = Preparer(THREADS, self._logs / f"preparer-{number}.log")
            return preparer

    def kill(self) -> None:
        """End the processes; the threads that wait for them end too."""
        with self._starting:
            self._ended = True
        for preparer in self._processes:
            if preparer is not None:
                preparer.kill()

    def stop(self) -> None:
        """Clean up behind the processes, once no thread uses them."""
        for preparer in self._processes:
            if preparer is not None:
                preparer.stop()
