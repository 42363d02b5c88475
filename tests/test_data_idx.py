import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_models.data.idx import announced_size, encode_idx, read_idx
from mnist_models.errors import InvalidInput

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("array", [IMAGES, IMAGES.ravel()])
def test_round_trip(array):
    content = encode_idx(array)
    found = read_idx(content, "f")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)
    assert announced_size(content[:16], "f") == len(content)


def test_the_format_is_the_published_one():
    assert encode_idx(np.array([7, 2], np.int32)) == bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 2])
    assert encode_idx(IMAGES)[:16] == bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4])


@pytest.mark.parametrize(
    "array",
    [np.array([256]), np.array([-1]), np.array([0.5]), np.zeros((2, 2), np.uint8), np.zeros(0, np.uint8)],
)
def test_encode_refuses_what_the_format_cannot_hold(array):
    with pytest.raises(ValueError, match="IDX here holds"):
        encode_idx(array)


GOOD = encode_idx(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"\x00\x00\x08\x02" + GOOD[4:], "found 00 00 08 02"),
        (b"\x00\x00\x0d\x03" + GOOD[4:], "found 00 00 0d 03"),
        (b"\x01\x00\x08\x03" + GOOD[4:], "found 01 00 08 03"),
        (b"\x1f\x8b\x08\x03" + GOOD[4:], "found 1f 8b 08 03"),
        (GOOD[:15], "expected an IDX header of 16 bytes, found 15"),
        (GOOD[:-1], "expected 40 bytes, as the IDX header announces, found 39"),
        (GOOD + b"\x00", "expected 40 bytes, as the IDX header announces, found 41"),
        (GOOD[:4] + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1), "every dimension must be at least 1"),
        (GOOD[:4] + struct.pack(">3I", *[2**32 - 1] * 3), "expected 79,228,162,458,924,105,385,300,197,391 bytes"),
    ],
)
def test_damage_is_refused(content, message):
    with pytest.raises(InvalidInput, match=message) as refusal:
        read_idx(content, "some-file")
    assert str(refusal.value).startswith("data: some-file")


headers = st.builds(
    lambda dimensions, shape, rest: bytes([0, 0, 8, dimensions]) + struct.pack(">3I", *shape) + rest,
    st.sampled_from([1, 3]),
    st.tuples(*[st.integers(0, 5) | st.integers(0, 2**32 - 1)] * 3),
    st.binary(),
)


@given(st.binary() | headers)
def test_arbitrary_bytes_are_read_or_refused(content):
    try:
        array = read_idx(content, "f")
    except InvalidInput:
        return
    assert encode_idx(array) == content
