"""The four files of the official MNIST and the hashes by which every copy of them is recognised."""

import hashlib
from typing import NamedTuple

from mnist_models.errors import Unavailable


class DataUnavailable(Unavailable):
    """The official MNIST, or one source of it, could not be had; the message is one sentence that says why."""


class OfficialFile(NamedTuple):
    """Size in bytes and SHA-256 of an uncompressed IDX file."""

    size: int
    sha256: str


OFFICIAL_FILES = {
    "train-images-idx3-ubyte": OfficialFile(
        47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte": OfficialFile(60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": OfficialFile(
        7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte": OfficialFile(10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def verify(content: bytes, name: str, where: str) -> None:
    """Make sure that `content` is the official file `name`; `where` is what the error calls it.

    Raise DataUnavailable, with the expected and the found size and hash, if it is not.
    """
    expected = OFFICIAL_FILES[name]
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise DataUnavailable(
            f"{where}: expected {expected.size:,} bytes with SHA-256 {expected.sha256}, "
            f"found {len(content):,} bytes with SHA-256 {found}"
        )
