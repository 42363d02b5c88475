"""The errors that end a command with one sentence."""

import difflib
from collections.abc import Iterable


class InvalidInput(ValueError):
    """Input that is refused before anything is trained, logged or registered.

    The message is one sentence that names the field and what is allowed; the command line prints it
    and ends with exit status 2.
    """


class Unavailable(OSError):
    """Something outside that is needed is out of reach: a source of data, a server.

    The message is one sentence; the command line prints it and ends with exit status 1.
    """


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> InvalidInput:
    """The refusal of a name that does not exist, with the nearest valid ones first."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return InvalidInput(f"{kind} {name!r} does not exist: {hint}Valid names: {', '.join(names)}.")
