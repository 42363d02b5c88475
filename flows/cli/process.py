"""The process in which a command runs: its streams, its signals, and what its threads leave behind."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

from flows.cli.ending import INTERRUPTED, end, in_words, keep_traceback


def run_as_process(command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with its status; no traceback reaches the screen, whoever raises it."""
    open_standard_streams()
    logging.raiseExceptions = False  # a screen that is gone is no news
    threading.excepthook = _tell_of_thread
    sys.unraisablehook = _keep_unraisable
    try:
        end(command)
    finally:
        threading.excepthook = _keep_silently
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _leave_at_once)


def open_standard_streams() -> None:
    """Put the null device where a standard stream is closed: the next file that is opened would take its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free, which is this
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, TextIOWrapper):
        with suppress(OSError):
            sys.stdout.reconfigure(errors="replace")  # what an old terminal has no character for


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    error, file = ended.exc_value, _keep_silently(ended)
    if error is not None and file is not None:
        with suppress(OSError, ValueError):
            print(f"mnist: a thread has ended: {in_words(error)}; its traceback is in {file}", file=sys.stderr)


def _keep_silently(ended: threading.ExceptHookArgs) -> object:
    error = ended.exc_value
    return None if error is None or isinstance(error, SystemExit | BrokenPipeError) else keep_traceback(error)


def _keep_unraisable(error: "sys.UnraisableHookArgs") -> None:
    """An error that has nobody to go to, as in an `atexit` function of a library."""
    if error.exc_value is not None and not isinstance(error.exc_value, KeyboardInterrupt):
        keep_traceback(error.exc_value)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C once the command has ended: all is recorded, and what is still running ends with this process."""
    os._exit(INTERRUPTED)
