"""The IDX format in which MNIST is published: a big-endian header, then the values, one byte each.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
"""

import math
import struct

import numpy as np

from mnist_models.errors import InvalidInput

UNSIGNED_BYTES = bytes([0, 0, 0x08])  # how the magic number begins; its fourth byte is the number of dimensions

LONGEST_HEADER = 16  # bytes before the first value in a file of images; a file of labels has 8

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""Which array of a data set is in which file."""


def read_idx(data: bytes, name: str) -> np.ndarray:
    """Return the values of one IDX file: uint8 [n] (labels) or [n, height, width] (images), read-only.

    `name` is the file's name in the error. The array shares the memory of `data`. Raise InvalidInput for anything
    but such a file, a dimension of 0, and a file that is shorter or longer than its header announces.
    """
    header, shape = _header(data, name)
    size = header + math.prod(shape)
    if len(data) != size:
        raise InvalidInput(f"data: {name}: expected {size:,} bytes, as the IDX header announces, found {len(data):,}.")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def announced_size(start: bytes | bytearray, name: str) -> int:
    """Return the size in bytes of the whole IDX file whose first `LONGEST_HEADER` bytes (or more) are given.

    Raise InvalidInput if it is not an IDX file of one or three dimensions of unsigned bytes.
    """
    header, shape = _header(start, name)
    return header + math.prod(shape)


def encode_idx(array: np.ndarray) -> bytes:
    """Return the IDX file of `array`: whole numbers 0 to 255 of any integer type, [n] or [n, height, width].

    Raise ValueError for any other array, or an empty one.
    """
    if array.dtype.kind not in "iu" or array.ndim not in (1, 3) or array.size == 0:
        raise ValueError(f"IDX here holds integers [n] or [n, height, width], not {array.dtype} {array.shape}")
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"IDX here holds values from 0 to 255, not {array.min()} to {array.max()}")
    header = UNSIGNED_BYTES + struct.pack(f">B{array.ndim}I", array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def _header(content: bytes | bytearray, name: str) -> tuple[int, tuple[int, ...]]:
    """Return the header's size in bytes, and the dimensions that it announces, each at least 1."""
    dimensions = content[3] if len(content) > 3 else 0
    if content[:3] != UNSIGNED_BYTES or dimensions not in (1, 3):
        raise InvalidInput(
            f"data: {name}: not an IDX file of labels or images: expected the first bytes 00 00 08 01 or 00 00 08 03, "
            f"found {content[:4].hex(' ') or 'an empty file'}."
        )
    size = 4 + 4 * dimensions
    if len(content) < size:
        raise InvalidInput(f"data: {name}: expected an IDX header of {size} bytes, found {len(content)} bytes in all.")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if 0 in shape:
        raise InvalidInput(f"data: {name}: every dimension must be at least 1, the IDX header announces {shape}.")
    return size, shape
