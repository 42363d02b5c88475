"""The IDX format in which MNIST is published: a big-endian header, then the values, one byte each.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
"""

import math
import struct

import numpy as np

from mnist_models.errors import InvalidInput

UINT8 = 0x08
"""The third byte of the magic number: the values are unsigned bytes."""

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""Which array of a data set is in which file."""

LONGEST_HEADER = 16
"""Bytes before the first value in a file of images; a file of labels has 8."""


def read_idx(content: bytes, name: str) -> np.ndarray:
    """Return the values of one IDX file: uint8 [n] (labels) or [n, height, width] (images), read-only.

    `name` is the file's name in the error. The array shares the memory of `content`.

    Raises:
        InvalidInput: not such a file, a dimension of 0, or shorter or longer than its header announces.
    """
    shape = _shape(content, name)
    header = _header_size(len(shape))
    expected = header + math.prod(shape)
    if len(content) != expected:
        raise InvalidInput(
            f"data: {name}: expected {expected:,} bytes, as the IDX header announces, found {len(content):,}."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def announced_size(start: bytes | bytearray, name: str) -> int:
    """Return the size in bytes of the whole IDX file whose first `LONGEST_HEADER` bytes (or more) are given.

    Raises:
        InvalidInput: not an IDX file of one or three dimensions of unsigned bytes.
    """
    shape = _shape(start, name)
    return _header_size(len(shape)) + math.prod(shape)


def encode_idx(array: np.ndarray) -> bytes:
    """Return the IDX file of `array`: whole numbers 0 to 255 of any integer type, [n] or [n, height, width].

    Raises:
        ValueError: any other array, or an empty one.
    """
    if array.dtype.kind not in "iu" or array.ndim not in (1, 3) or array.size == 0:
        raise ValueError(f"IDX here holds integers [n] or [n, height, width], not {array.dtype} {array.shape}")
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"IDX here holds values from 0 to 255, not {array.min()} to {array.max()}")
    header = struct.pack(f">HBB{array.ndim}I", 0, UINT8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def _header_size(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _shape(content: bytes | bytearray, name: str) -> tuple[int, ...]:
    """Return the dimensions that the header announces, each at least 1."""
    dimensions = content[3] if len(content) > 3 else 0
    if content[:3] != bytes([0, 0, UINT8]) or dimensions not in (1, 3):
        raise InvalidInput(
            f"data: {name}: not an IDX file of labels or images: expected the first bytes 00 00 08 01 or 00 00 08 03, "
            f"found {content[:4].hex(' ') or 'an empty file'}."
        )
    header = _header_size(dimensions)
    if len(content) < header:
        raise InvalidInput(
            f"data: {name}: expected an IDX header of {header} bytes, found {len(content)} bytes in all."
        )
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if 0 in shape:
        raise InvalidInput(f"data: {name}: every dimension must be at least 1, the IDX header announces {shape}.")
    return shape
