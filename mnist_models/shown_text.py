"""What a foreign text looks like where we show or store it: names of files and folders, messages, other people's data.

A file's name is bytes. It may hold bytes that are no UTF-8 (Python has lone surrogates in their place), line ends,
codes that a terminal obeys, and marks that have a meaning in Markdown or Rich.
"""

import re
import unicodedata

LONGEST = 300  # characters of a name in a title

_ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ODD = {"Cc", "Cf", "Zl", "Zp"}  # controls, invisible and reversing ones, line ends
_SURROGATE = re.compile("[\ud800-\udfff]")
# An underscore within a word has no meaning, and names of recipes stay readable.
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_])|^[#+-])")


def as_unicode(text: str) -> str:
    """Return `text` with each byte that is no UTF-8 as \\xNN: what files, databases and servers can take."""
    return _SURROGATE.sub(lambda found: _escape(found[0]), text)


def on_screen(text: str) -> str:
    """Return `text` on one line, with an escape in place of each character that cannot be seen or moves others."""
    text = as_unicode(text)
    if text.isprintable():
        return text
    return "".join(_escape(each) if unicodedata.category(each) in _ODD else each for each in text)


def in_title(text: str) -> str:
    """Return `text` as `on_screen` does, cut in the middle if it is long."""
    shown = on_screen(text)
    half = LONGEST // 2
    return shown if len(shown) <= LONGEST else f"{shown[:half]} … {shown[-half:]}"


def shortened(name: str, longest: int) -> str:
    """Return `name`, cut in its middle if it is longer than `longest` characters."""
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def in_markdown(text: str) -> str:
    """Return `text` as a page or a table in Markdown shows it unchanged, on one line."""
    return _MARKDOWN.sub(r"\\\1", on_screen(text))


def _escape(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # in place of a byte
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
