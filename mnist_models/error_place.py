"""What the text of a traceback says in one line: what was raised, and where in a user's own file."""

import re
from collections.abc import Callable
from pathlib import Path

_FRAME = re.compile(r'^ *File "([^"\n]+)", line (\d+)', re.MULTILINE)


def own_place(traceback: str, is_own: Callable[[Path], bool]) -> str:
    """Return the file's name and the line of the innermost frame in a file of the user's own, or nothing."""
    frames = [(Path(file), line) for file, line in _FRAME.findall(traceback) if is_own(Path(file))]
    if not frames:
        return ""
    file, line = frames[-1]
    return f"{file.stem.rpartition('.')[2]}.py, line {line}"  # copies in run directories are named a.b.py


def raised_line(traceback: str) -> str:
    """Return the first line of what was raised, or nothing if there is no frame: messages can have many lines."""
    frames = list(_FRAME.finditer(traceback))
    following = traceback[frames[-1].end() :].splitlines()[1:] if frames else []
    return next((line for line in following if line and not line[0].isspace()), "").rstrip()
