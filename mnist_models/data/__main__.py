"""`python -m mnist_models.data FOLDER [PATH OPTIONS]`: read a data set, verify it, and write it into FOLDER.

This takes several times the memory of the data set; it is a process of its own because its end frees all of that.
Without PATH it is the official MNIST. OPTIONS are `DataOptions` as JSON. It prints JSON lines: {"say": a line for the
user}, and at the end one of {"folder": where it is, "name": …, "source": …, "facts": …}, {"refused": a sentence},
{"unavailable": a sentence}.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from mnist_models.data.arrays import facts_to_json, save_arrays
from mnist_models.data.options import DataOptions
from mnist_models.data.prepared import read_or_reuse
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted

MADE = "made"  # the folder of what is made on the way, of the size of the data


def main() -> None:
    """Read, verify, write."""
    name, *given = sys.argv[1:]
    folder = Path(name)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        if given:
            with _workshop(folder):
                path, dataset = read_or_reuse(Path(given[0]), DataOptions.from_json(given[1]), folder)
        else:
            from mnist_models.data.official.load import load_official  # with what fetches it, which takes a while

            dataset = load_official(lambda line: _tell(say=redacted(line)))
            path = save_arrays(dataset, folder)
        told = {"name": dataset.name, "source": dataset.source, "facts": facts_to_json(dataset.facts)}
        _tell(folder=str(path), **told)
    except InvalidInput as error:
        _tell(refused=str(error))
    except Unavailable as error:
        _tell(unavailable=redacted(str(error)))


def _end_with_the_parent() -> None:
    """Its end closes the other end of our standard input, whatever has ended it."""
    sys.stdin.buffer.read()
    os._exit(1)


@contextmanager
def _workshop(folder: Path) -> Iterator[None]:
    """Make temporary files below `folder`: the system's own place for them may be small, or memory.

    What was made for that and is empty in the end is removed, so that data which are refused leave nothing behind.
    """
    made = folder / MADE / str(os.getpid())
    missing = [each for each in (made, *made.parents) if not each.exists()]
    made.mkdir(parents=True, exist_ok=True)
    for other in made.parent.iterdir():
        if other.name.isdecimal() and not psutil.pid_exists(int(other.name)):  # it was killed
            shutil.rmtree(other, ignore_errors=True)
    tempfile.tempdir = str(made)
    try:
        yield
    finally:
        with suppress(OSError):  # another process uses it
            for each in dict.fromkeys([made, made.parent, *missing]):
                each.rmdir()


def _tell(**message: Any) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
