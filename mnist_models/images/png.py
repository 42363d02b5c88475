"""PNG files without what is not needed for their pixels: comments, profiles, animations."""

from io import BytesIO
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")  # the last says how the camera was turned
XMP = b"XML:com.adobe.xmp\0\0"  # so may this text, if it is not compressed
MOST_XMP_BYTES = 100_000


def without_extras(file: BinaryIO, most_bytes: int) -> BinaryIO:
    """Return the file, or if it is a PNG a copy of its parts that matter.

    A comment may have any size, and a few compressed bytes of it can become gigabytes: so none is unpacked. A damaged
    file stays damaged, and one of more than `most_bytes` may become so.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        file.seek(0)
        return file
    kept = BytesIO()
    kept.write(SIGNATURE)
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        content = file.read(min(length + 4, most_bytes))  # with the checksum; the length is not to be believed
        xmp = kind == b"iTXt" and length <= MOST_XMP_BYTES and content.startswith(XMP)
        if kind in NEEDED or xmp:
            kept.write(head + content)
    kept.seek(0)
    return kept
