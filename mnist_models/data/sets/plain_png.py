"""Arrays as PNG files that are the same bytes for ever, so that the same image has the same digest."""

import struct
import zlib

import numpy as np
import numpy.typing as npt

from mnist_models.images.png import SIGNATURE

LARGEST_BLOCK = 65_535
KINDS = {2: 0, 3: 2}  # dimensions of the array → PNG's number for grey and for colour


def plain_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG file of an image uint8 [h, w] or [h, w, 3].

    It is not compressed, because other versions of what compresses make other bytes.
    """
    height, width = image.shape[:2]
    lines = np.ascontiguousarray(image).reshape(height, -1)
    content = np.concatenate([np.zeros((height, 1), np.uint8), lines], axis=1).tobytes()  # 0: a line without a filter
    header = struct.pack(">IIBBBBB", width, height, 8, KINDS[image.ndim], 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(content)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _stored(content: bytes) -> bytes:
    """Return content as zlib's format has it, in blocks that are not compressed."""
    stream = bytearray(b"\x78\x01")
    for start in range(0, len(content), LARGEST_BLOCK):
        block = content[start : start + LARGEST_BLOCK]
        last = start + LARGEST_BLOCK >= len(content)
        stream += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(stream + struct.pack(">I", zlib.adler32(content)))
