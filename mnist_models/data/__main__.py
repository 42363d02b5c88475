"""`python -m mnist_models.data FOLDER [PATH]`: read a data set, verify it, and write it into FOLDER.

This takes several times the memory of the data set; it is a process of its own because its end frees all of that.
Without PATH it is the official MNIST. It prints JSON lines: {"say": a line for the user}, and at the end one of
{"folder": where it is, "name": …, "source": …, "pixels": …}, {"refused": a sentence}, {"unavailable": a sentence}.
"""

import json
import sys
from pathlib import Path

from mnist_models.data.arrays import save_arrays
from mnist_models.data.official.load import load_official
from mnist_models.data.read import read_data
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted


def main() -> None:
    """Read, verify, write."""
    folder, *path = sys.argv[1:]
    try:
        dataset = read_data(Path(path[0])) if path else load_official(lambda line: _tell(say=redacted(line)))
        told = {"name": dataset.name, "source": dataset.source, "pixels": dataset.pixels}
        _tell(folder=str(save_arrays(dataset, Path(folder))), **told)
    except InvalidInput as error:
        _tell(refused=str(error))
    except Unavailable as error:
        _tell(unavailable=redacted(str(error)))


def _tell(**message: str) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
