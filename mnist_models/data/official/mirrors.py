"""The second source of the official MNIST: HTTPS mirrors of the original gzip files."""

import time
import urllib.error
import urllib.request
import zlib
from contextlib import suppress
from http.client import HTTPException

from mnist_models.data.official.checksums import OFFICIAL_FILES, DataUnavailable, verify

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

GZIP = 16 + zlib.MAX_WBITS  # tells zlib to expect a gzip header


def fetch(mirror: str, stall_seconds: float = 20, limit_seconds: float = 300) -> dict[str, bytes]:
    """Return all files of one mirror, uncompressed and verified, by name. Proxies are taken from the environment.

    `mirror` is the address of the folder, with a slash at the end. The connection and the next bytes may take
    `stall_seconds`, all files together `limit_seconds`.

    Raise DataUnavailable if there is no connection, an HTTP error, too slow an answer, or a body that is not the
    official file; the message has the address and, for a wrong body, the expected and the found size and hash.
    """
    deadline = time.monotonic() + limit_seconds
    return {name: _fetch_file(mirror, name, stall_seconds, deadline) for name in OFFICIAL_FILES}


def _fetch_file(mirror: str, name: str, stall_seconds: float, deadline: float) -> bytes:
    url = f"{mirror}{name}.gz"
    size = OFFICIAL_FILES[name].size
    largest = size + 1024  # what gzip makes of bytes that it cannot compress
    try:
        with urllib.request.urlopen(url, timeout=stall_seconds) as response:
            announced = response.length
            body = b""
            # read1 returns what has arrived: read would wait for the whole piece, past the deadline.
            while len(body) <= largest and (piece := response.read1(2**16)):
                body += piece
                if time.monotonic() > deadline:
                    raise TimeoutError("the time limit for the download is over")
    except (OSError, HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise DataUnavailable(f"{url}: {error}") from error
    if len(body) > largest:
        raise DataUnavailable(f"{url}: expected at most {largest:,} bytes, found more")
    cut = f" (cut: {len(body):,} of {announced:,} bytes came)" if announced not in (None, len(body)) else ""
    with suppress(zlib.error):  # of anything else, such as an error page, the error gives the size and hash
        body = zlib.decompressobj(GZIP).decompress(body, size + 1)
    verify(body, name, url + cut)
    return body
