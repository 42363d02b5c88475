"""A data set, read and verified by a process of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from mnist_models.data.arrays import facts_from_json, load_arrays
from mnist_models.data.dataset import Dataset
from mnist_models.data.official.checksums import DataUnavailable
from mnist_models.data.options import DataOptions
from mnist_models.data.read import format_titles
from mnist_models.data.sets.add import Added, Addition, from_told
from mnist_models.data.sets.names import named_version
from mnist_models.errors import InvalidInput
from mnist_models.processes.child_environment import inherited_environment
from mnist_models.processes.import_path import python_command


class PreparedData(NamedTuple):
    """A data set, and the folder from which trainers load it."""

    dataset: Dataset
    folder: Path


def prepare_data(
    path: str,
    folder: Path,
    say: Callable[[str], None],
    options: DataOptions | None = None,
    sets: Path | None = None,
) -> PreparedData:
    """Return the data set at `path`, or the official MNIST if that is empty, as written into `folder`.

    `say` is given one line for each thing that happens meanwhile. If `sets` is given, the folder of named data sets,
    `path` may also be the name of one of them, such as NAME or NAME@3.

    Raises:
        InvalidInput: the data at `path` cannot be used.
        DataUnavailable: the official MNIST can be had from none of its sources, or the process has ended early.
    """
    if "://" in path:  # it may hold a password, and arguments of processes are no secret
        raise InvalidInput(f"data: give {format_titles()} on this machine; addresses are not read.")
    named = named_version(path, sets) if sets else None
    given = [str(named or path), (options or DataOptions()).to_json()] if path else []
    told = ask(["--set", str(sets)] if named else [], [str(folder), *given], say)
    prepared = Path(told["folder"])
    facts = facts_from_json(told["facts"])
    return PreparedData(load_arrays(prepared, told["name"], told["source"], facts), prepared)


def add_to_set(sets: Path, addition: Addition, say: Callable[[str], None]) -> Added:
    """Add to a named data set in the folder `sets`; raise as `prepare_data`."""
    verb = ["--add-watched" if addition.watched else "--add", str(sets)]
    return from_told(ask(verb, [addition.name, addition.options.to_json(), *addition.paths], say))


def ask(verb: list[str], arguments: list[str], say: Callable[[str], None]) -> dict[str, Any]:
    """Return what a process that reads data tells at its end; raise as `prepare_data`."""
    command = python_command("mnist_models.data", *verb, *arguments)
    with TemporaryFile() as errors:
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, env=inherited_environment()) as process:
            for line in process.stdout or ():
                message: dict[str, Any] = json.loads(line)
                if "say" in message:
                    say(message["say"])
                if "refused" in message:
                    raise InvalidInput(message["refused"])
                if "unavailable" in message:
                    raise DataUnavailable(message["unavailable"])
                if "result" in message:
                    return dict(message["result"])
        errors.seek(0)
        words = errors.read().decode(errors="replace").strip().splitlines()[-1:]
        raise DataUnavailable(
            f"The data could not be read: the process that does it ended with {process.returncode}: {''.join(words)}."
        )
