"""`python -m mnist_models.data FOLDER [PATH OPTIONS]`: read a data set, verify it, and write it into FOLDER.

This takes several times the memory of the data set; it is a process of its own because its end frees all of that.
Without PATH it is the official MNIST. OPTIONS are `DataOptions` as JSON. With `--set SETS` before FOLDER, PATH is a
version of a named data set, such as NAME@3. `--add SETS NAME OPTIONS PATH…` adds to a named data set instead, and
`--add-watched` does with one PATH that is a watched folder.

It prints JSON lines: {"say": a line for the user}, and at the end one of {"result": {"folder": where it is, "name": …,
"source": …, "facts": …}} (or for an addition that of `as_told`), {"refused": a sentence}, {"unavailable": a sentence}.
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
from mnist_models.data.dataset import Dataset
from mnist_models.data.options import DataOptions
from mnist_models.data.prepared import read_or_reuse, set_or_reuse
from mnist_models.data.sets.add import Added, Addition, add, as_told
from mnist_models.data.sets.names import Reference
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted
from mnist_models.shown_text import on_screen

MADE = "made"  # the folder of what is made on the way, of the size of the data


def main() -> None:
    """Read, verify, write."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        match sys.argv[1:]:
            case [("--add" | "--add-watched") as verb, sets, name, options, *paths]:
                addition = Addition(name, tuple(paths), DataOptions.from_json(options), verb == "--add-watched")
                result = as_told(_add(Path(sets), addition))
            case ["--set", sets, folder, reference, options]:
                name, _, number = reference.rpartition("@")
                version = Reference(name, int(number))
                with _workshop(Path(folder)):
                    made = set_or_reuse(Path(sets), version, DataOptions.from_json(options), Path(folder))
                result = _as_told(*made)
            case [folder, path, options]:
                with _workshop(Path(folder)):
                    result = _as_told(*read_or_reuse(Path(path), DataOptions.from_json(options), Path(folder)))
            case [folder]:
                from mnist_models.data.official.load import load_official  # with what fetches it, which takes a while

                dataset = load_official(_say)
                result = _as_told(save_arrays(dataset, Path(folder)), dataset)
            case arguments:
                raise InvalidInput(f"arguments: {arguments} are none of those that are allowed.")
        _tell(result=result)
    except InvalidInput as error:
        _tell(refused=str(error))
    except Unavailable as error:
        _tell(unavailable=redacted(str(error)))


def _end_with_the_parent() -> None:
    """Its end closes the other end of our standard input, whatever has ended it."""
    while os.read(0, 4096):  # not by `sys.stdin`, whose lock a thread must not hold when the interpreter ends
        pass
    os._exit(1)


def _as_told(folder: Path, dataset: Dataset) -> dict[str, Any]:
    facts = facts_to_json(dataset.facts)
    return {"folder": str(folder), "name": dataset.name, "source": dataset.source, "facts": facts}


def _add(sets: Path, addition: Addition) -> Added:
    try:
        return add(sets, addition, _say)
    except OSError as error:
        shown = on_screen(str(sets / addition.name))
        raise Unavailable(f"The data set in {shown} cannot be written: {error.strerror or error}.") from error


def _say(line: str) -> None:
    _tell(say=redacted(line))


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
