"""Commands that are shown, to be copied from there."""

import os
import shlex
from pathlib import Path

from mnist_models.data.options import DataOptions
from tasks.config.library_defaults import program


def shown_program(name: str) -> str:
    """Return how a program of this environment is called from here."""
    path = Path(program(name))
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def train_command(data: str, options: DataOptions) -> str:
    """Return the command that trains on the data at a path, or on the official MNIST if that is empty."""
    words = [shown_program("mnist"), "train"]
    words += ["--data", data] if data and not data.startswith("-") else [f"--data={data}"] if data else []
    words += ["--image-size", str(options.image_size)] if options.image_size else []
    words += ["--crop"] if options.crop else []
    words += ["--transposed"] if options.transposed else []
    return shlex.join(words)
