"""Addresses without the credentials in them: what may be shown, logged and stored."""

import logging
import re
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

HIDDEN = "***"

# A password may hold an @, and in addresses of databases a slash; so all up to the last @ goes, rather too much than
# too little. Only in addresses of the web, whose paths often hold an @, a colon before digits begins a port. Lengths
# are bounded so that odd texts do not take long.
_NO_PORT = r"""(?:(?<!http)(?<!https)://|://(?![^\s/?#"<>@:]{0,999}:\d+(?:[/?#\s"<>]|$)))"""
_USER = re.compile(
    rf"""(?<![a-z0-9+.-])([a-z0-9+.-]+)"""
    rf"""(?:{_NO_PORT}[^\s/?#"<>@:]{{0,999}}:[^\s"<>]{{0,2000}}|://[^\s/?#"<>]{{0,2000}})@""",
    re.IGNORECASE,
)
_QUERY = re.compile(
    r"""([?&;](?:[\w.-]{0,40}(?:passw|pwd|secret|token|key|credential)[\w.-]{0,40}|sig)=)[^&;#\s"<>]+""", re.IGNORECASE
)


def redacted(text: str) -> str:
    """`text` with every user name and password in an address, and every secret in its query, replaced by ***."""
    if "://" not in text:
        return text
    return _QUERY.sub(rf"\g<1>{HIDDEN}", _USER.sub(rf"\g<1>://{HIDDEN}@", text))


def split_credentials(url: str) -> tuple[str, str, str]:
    """An address without its user name and password, and these, decoded; as it is where there are none.

    Raise ValueError if it is no address.
    """
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, "", ""
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), unquote(name), unquote(password)


def redact_logs() -> None:
    """From now on no log record of this process holds credentials, whoever writes it and wherever it goes."""
    make = logging.getLogRecordFactory()
    if getattr(make, "func", None) is not _redacted_record:
        logging.setLogRecordFactory(partial(_redacted_record, make))


def _redacted_record(make: Any, *args: Any, **kwargs: Any) -> logging.LogRecord:
    """Return what `make` makes, as it is if it holds no credentials: some formatters want its arguments one by one."""
    record: logging.LogRecord = make(*args, **kwargs)
    try:
        message = record.getMessage()
    except (TypeError, ValueError):  # reported by whoever writes the record
        return record
    if (safe := redacted(message)) != message:
        record.msg, record.args = safe, None
    if record.exc_info and record.exc_info[0]:
        trace = logging.Formatter().formatException(record.exc_info)
        if (safe := redacted(trace)) != trace:  # what is there already, formatters do not make again
            record.exc_text = safe
    return record
