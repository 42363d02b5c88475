"""What a check of `mnist doctor` yields."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong."""

    what: str
    remedy: str
