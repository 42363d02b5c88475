"""Standard output for a flow run. It may go away: a closed terminal, a pipe that nobody reads, a full disk."""

import sys
from typing import IO, Any, cast


def lasting_output() -> IO[str]:
    """Return standard output in a form that costs no training: once a write fails, nothing is written any more."""
    return cast(IO[str], _LastingStream(sys.stdout))


class _LastingStream:
    """A text stream whose writes never fail."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._gone = stream, False

    def write(self, text: str) -> int:
        if not self._gone:
            try:
                return self._stream.write(text)
            except (OSError, ValueError):
                self._gone = True
        return len(text)

    def flush(self) -> None:
        if not self._gone:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
