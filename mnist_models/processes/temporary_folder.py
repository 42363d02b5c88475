"""The folder for temporary files: every process needs one, and says little where it has none."""

import os
import shutil
import tempfile
from pathlib import Path

from mnist_models.errors import InvalidInput, Unavailable

LEAST_FREE_MB = 32


def check_temporary_folder() -> None:
    """Raise InvalidInput if TMPDIR names a folder that cannot be used, and Unavailable if there is none, or no room."""
    if chosen := os.environ.get("TMPDIR"):
        try:
            with tempfile.TemporaryFile(dir=chosen) as file:
                file.write(b"x")
        except FileNotFoundError:
            raise InvalidInput(f"TMPDIR: there is no folder {chosen}; make it, or unset the variable.") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InvalidInput(
                f"TMPDIR: {chosen} cannot take temporary files ({reason}); name another folder, or unset the variable."
            ) from None
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise Unavailable(f"{error.strerror}; name a folder for temporary files in TMPDIR.") from None
    if (free := shutil.disk_usage(folder).free / 2**20) < LEAST_FREE_MB:
        raise Unavailable(
            f"{folder} has {free:.0f} MB left, and temporary files may take {LEAST_FREE_MB}: make room, or name another"
            " folder in TMPDIR."
        )
