"""The second source of the official MNIST: HTTPS mirrors of the original gzip files."""

import time
import urllib.error
import urllib.request
import zlib
from http.client import HTTPException

from mnist_models.data.official.checksums import OFFICIAL_FILES, DataUnavailable, verify

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

GZIP = 16 + zlib.MAX_WBITS  # tells zlib to expect a gzip header


def fetch(mirror: str, stall_seconds: float = 20, limit_seconds: float = 300) -> dict[str, bytes]:
    """Return all files of one mirror, uncompressed and verified, by name. Proxies are taken from the environment.

    Args:
        mirror: the address of the folder, with a slash at the end.
        stall_seconds: how long the connection or the next bytes may take.
        limit_seconds: how long all files together may take.

    Raises:
        DataUnavailable: no connection, an HTTP error, too slow, or a body that is not the official file; the
            message has the address and, for a wrong body, the expected and the found size and hash.
    """
    deadline = time.monotonic() + limit_seconds
    return {name: _fetch_file(mirror, name, stall_seconds, deadline) for name in OFFICIAL_FILES}


def _fetch_file(mirror: str, name: str, stall_seconds: float, deadline: float) -> bytes:
    url = f"{mirror}{name}.gz"
    size = OFFICIAL_FILES[name].size
    largest = size + 1024  # what gzip makes of bytes that it cannot compress
    try:
        body, announced = _download(url, largest, stall_seconds, deadline)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataUnavailable(f"{url}: {error}") from error
    except (OSError, HTTPException) as error:
        raise DataUnavailable(f"{url}: {error}") from error
    if len(body) > largest:
        raise DataUnavailable(f"{url}: expected at most {largest:,} bytes, found more")
    cut = f" (cut: {len(body):,} of {announced:,} bytes came)" if announced not in (None, len(body)) else ""
    content = _unpacked(body, size)
    verify(content, name, url + cut)
    return content


def _download(url: str, largest: int, stall_seconds: float, deadline: float) -> tuple[bytes, int | None]:
    """Return the body, at most about `largest` bytes of it, and the length that was announced."""
    with urllib.request.urlopen(url, timeout=stall_seconds) as response:
        announced = response.length
        body = bytearray()
        # read1 returns what has arrived: read would wait for the whole piece, past the deadline.
        while len(body) <= largest and (piece := response.read1(2**16)):
            body += piece
            if time.monotonic() > deadline:
                raise TimeoutError("the time limit for the download is over")
        return bytes(body), announced


def _unpacked(body: bytes, size: int) -> bytes:
    """Return the content of a gzip file, cut off after size + 1 bytes.

    Anything else, such as an error page, is returned as it is: the error then gives its size and hash.
    """
    try:
        return zlib.decompressobj(GZIP).decompress(body, size + 1)
    except zlib.error:
        return body
