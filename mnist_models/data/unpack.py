"""Archives of data in any format, unpacked into a folder of their own: bounded, and nothing outside it."""

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from mnist_models.errors import InvalidInput
from mnist_models.shown_text import in_title, on_screen

TITLE = "an archive of one of these (.zip, .tar.gz)"

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
MOST_FILES = 2_000_000
LONGEST_PATH = 1000  # bytes
FOR_PEOPLE = ("", ".md", ".txt", ".pdf", ".html", ".rst")  # endings of what lies beside data
LEFT_BY_MACS = "__MACOSX"
DRIVE = re.compile("[A-Za-z]:")


def is_archive(path: Path) -> bool:
    """Return whether it is a file with the ending of an archive."""
    return path.name.lower().endswith(ENDINGS) and path.is_file()


def unpack(archive: Path, folder: Path, largest: int) -> Path:
    """Unpack into the empty `folder`, and return where the data lie: there, or in the only folder in it.

    Links, devices and names that lead outside are left out. Raise InvalidInput if it is damaged or encrypted, or takes
    more than `largest` bytes unpacked.
    """
    shown = on_screen(str(archive))
    try:
        _unpack(_zipped(archive) if archive.name.lower().endswith(".zip") else _tarred(archive), folder, largest, shown)
    except InvalidInput:
        raise
    except Exception as error:  # zipfile, tarfile and the decompressors raise a dozen types for damaged bytes
        reason = in_title(" ".join(str(error).split()).rstrip(".") or type(error).__name__).replace(str(folder), "")
        raise InvalidInput(f"data: {shown} cannot be unpacked: {reason}.") from error
    while (only := _only_folder(folder)) is not None:
        folder = only
    return folder


def _only_folder(folder: Path) -> Path | None:
    """Return the only folder in a folder that holds nothing else but perhaps what is to be read by people."""
    inside = [each for each in folder.iterdir() if not each.name.startswith(".")]
    others = [each for each in inside if each.is_file() and each.suffix.lower() not in FOR_PEOPLE]
    folders = [each for each in inside if each.is_dir()]
    return folders[0] if len(folders) == 1 and not others else None


def _unpack(members: Iterator[tuple[str, IO[bytes]]], folder: Path, largest: int, shown: str) -> None:
    left = largest
    for number, (name, content) in enumerate(members):
        if number >= MOST_FILES:
            raise InvalidInput(f"data: {shown} holds more than {MOST_FILES:,} files.")
        target = _inside(name, folder)
        if target is None:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while piece := content.read(2**20):
                left -= len(piece)
                if left < 0:
                    raise InvalidInput(f"data: {shown}: a data set may take {largest:,} bytes unpacked, not more.")
                file.write(piece)


def _inside(name: str, folder: Path) -> Path | None:
    """Return where a member goes; None for one that leads outside, or that desktops have put there."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part != "."]
    is_odd = not parts or ".." in parts or "\0" in name or len(name.encode(errors="replace")) > LONGEST_PATH
    if is_odd or parts[0] in ("/", LEFT_BY_MACS) or DRIVE.fullmatch(parts[0]):
        return None
    target = folder.joinpath(*parts)
    return None if target.is_dir() else target


def _zipped(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
            if not member.is_dir() and not is_link:
                with file.open(member) as content:
                    yield member.filename, content


def _tarred(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive, "r:*") as file:
        for member in file:
            if member.isfile() and (content := file.extractfile(member)) is not None:
                yield member.name, content
