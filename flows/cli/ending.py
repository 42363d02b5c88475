"""How every command ends: an exit status, one sentence if something went wrong, and its traceback in a log file."""

import os
import select
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from errno import EACCES, EDQUOT, EEXIST, EIO, EMFILE, ENOSPC, ENOTDIR, EPERM, EPIPE, EROFS
from pathlib import Path
from traceback import format_exception
from typing import NoReturn

from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput, Unavailable
from mnist_models.redaction import redacted
from mnist_models.shown_text import on_screen

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
INTERRUPTION = "interrupted; the same command goes on where this one stopped"
LONGEST = 300  # characters of an error's own words
SQLITE_FULL = "database or disk is full"
NO_RIGHT = "give yourself the right to it, or move mlflow.yml to a folder of your own"
IN_THE_WAY = "move away what stands where a folder is needed"
ADVICE = {
    **dict.fromkeys((EACCES, EPERM, EROFS), NO_RIGHT),
    **dict.fromkeys((EEXIST, ENOTDIR), IN_THE_WAY),
    EMFILE: "raise the limit that `ulimit -n` shows",
}


def end(command: Callable[[], int]) -> NoReturn:
    """Run a command and end with its status; whatever it raises becomes one sentence on standard error.

    What the user got wrong gives 2, Ctrl-C 130, everything else 1.
    """
    sentence = ""
    try:
        status = command()
        sentence = INTERRUPTION if status == INTERRUPTED else ""
        sys.stdout.flush()  # while a full disk can still be told of
    except SystemExit:
        raise
    except BaseException as error:  # what is no Exception, such as a cancellation, ends in a traceback as well
        status, sentence = explain(error)
    _leave_nothing_to_flush()
    if sentence:
        with suppress(OSError, ValueError):  # there may be nobody to read it
            print(f"mnist: {sentence}", file=sys.stderr)
    sys.exit(status)


def explain(error: BaseException) -> tuple[int, str]:
    """Return the exit status for what has ended a command, and what to say; nothing where nobody listens any more."""
    chain = list(_chain(error))
    if any(map(_is_interruption, chain)):
        return INTERRUPTED, INTERRUPTION
    if isinstance(error, InvalidInput):
        return REFUSED, _clean(str(error))
    if isinstance(error, Unavailable):
        return FAILED, _clean(str(error))
    if full := next((each for each in chain if _is_full_disk(each)), None):
        file = getattr(full, "filename", None)
        where = f"the disk of {file}" if file else "the disk"
        return FAILED, _clean(f"{where} is full: make room, and the same command goes on where this one stopped.")
    if isinstance(error, OSError) and error.errno in (EPIPE, EIO) and not _somebody_reads():
        return FAILED, ""
    file = keep_traceback(error)
    where = "and its traceback could not be written anywhere" if file is None else f"its traceback is in {file}"
    return FAILED, f"{in_words(error)}; {where}"


def in_words(error: BaseException) -> str:
    """Return the cause in one line, without a full stop."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, ImportError):
        return f"the installation is not complete, `make run` or pip completes it: {_first_line(error)}"
    if isinstance(error, OSError) and error.errno:
        reason = (error.strerror or os.strerror(error.errno)).lower()
        subject = "" if error.filename is None else f"{error.filename}: "
        advice = ADVICE.get(error.errno, "")
        return _clean(f"{subject}{reason}" + (f"; {advice}" if advice else ""))
    return f"{_first_line(error)} ({type(error).__name__})"


def keep_traceback(error: BaseException) -> Path | None:
    """Write the traceback of an error into a log file; return it, or None if no folder takes it."""
    text = redacted("".join(format_exception(error)))
    name = f"mnist-{datetime.now():%Y%m%d-%H%M%S-%f}-{os.getpid()}.log"
    for folder in (_logs, _temporary_folder):
        with suppress(Exception):  # whatever is wrong with one of them, the other will do
            file = folder() / name
            write_atomically(file, text)
            return file
    return None


def _logs() -> Path:
    from tasks.config.settings import load_settings  # not for commands that end well

    return load_settings().state / "logs"


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="mnist-"))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that have led to it."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from (inner for each in error.exceptions for inner in _chain(each))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_interruption(error: BaseException) -> bool:
    """Return whether it is Ctrl-C, or what a library has made of it, as of any exception in a function of ours."""
    return isinstance(error, KeyboardInterrupt) or KeyboardInterrupt.__name__ in str(error)


def _is_full_disk(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT)) or str(error) == SQLITE_FULL


def _first_line(error: BaseException) -> str:
    """Return what an error says, as far as it fits in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason is given"]
    text = _clean(lines[0]).rstrip(".")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _clean(text: str) -> str:
    """Return a text without credentials and without what would move a terminal's cursor, in one line."""
    return on_screen(redacted(" ".join(text.split())))


def _somebody_reads() -> bool:
    """Return whether the other end of standard output is still there, as far as that is known."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return not poll.poll(0)
    except (OSError, ValueError):  # not a stream of the operating system
        return True


def _leave_nothing_to_flush() -> None:
    """Let nothing that could not be written be tried once more, and complained of, when Python ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
