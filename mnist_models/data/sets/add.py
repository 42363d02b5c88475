"""A new version of a data set by what is added to it: read, checked, merged, written."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mnist_models.data.assembly.decode_files import Looked, Workshop, check_readable, decode_all
from mnist_models.data.assembly.near_duplicates import near_duplicates
from mnist_models.data.found import ImageFile, Part
from mnist_models.data.options import DataOptions
from mnist_models.data.read import LARGEST, all_formats, opened_data
from mnist_models.data.sets.lock import locked_set
from mnist_models.data.sets.merge import Merged, merged
from mnist_models.data.sets.names import Reference, checked_set_name, version_numbers
from mnist_models.data.sets.objects import keep_all
from mnist_models.data.sets.rows import Row, kept
from mnist_models.data.sets.sides import sides
from mnist_models.data.sets.statements import Said, Statement, said_by
from mnist_models.data.sets.thumbnails import SIDE, Thumbnails, thumbnails_of, write_thumbnails
from mnist_models.data.sets.versions import Version, read_version, rows_of, write_version
from mnist_models.data.unpack import ENDINGS
from mnist_models.shown_text import on_screen

WORK = ".work-"  # what folders of unfinished work are called; those of processes that were killed are removed


@dataclass(frozen=True)
class Addition:
    """What is to be added to which data set."""

    name: str
    paths: tuple[str, ...]
    options: DataOptions = field(default_factory=DataOptions)
    watched: bool = False  # the one path is a folder that keeps what was added before: see `merged`, `_inside`


@dataclass(frozen=True)
class Added:
    """The newest version, and whether it is a new one."""

    version: Version
    is_new: bool
    notes: tuple[str, ...] = ()  # what is worth knowing, a sentence each


def add(sets: Path, addition: Addition, say: Callable[[str], None]) -> Added:
    """Add to the data set in the folder `sets`, which is made if there is none of that name.

    Raise InvalidInput as `read_data`; then, or if the process is killed, the data set is as it was.
    """
    folder = sets / checked_set_name(addition.name)
    with locked_set(sets, addition.name, say), _work(folder) as work:
        numbers = version_numbers(sets, addition.name)
        newest = read_version(sets, Reference(addition.name, numbers[-1])) if numbers else None
        rows = rows_of(sets, newest) if newest else []
        with ExitStack() as stack:
            said = _all_said(addition, rows, work, stack)
            check_readable(len(said.statements) + len(said.problems), said.problems, addition.options)
            both = merged(rows, said.statements, addition.watched)
            new, thumbnails, failed = _decoded(both.new, work)
            problems = [*said.problems, *failed]
            check_readable(len(said.statements) + len(said.problems), problems, addition.options)
            left = {each.content for each in both.new} - {each.content for each in new}
            usable = [each for each in said.statements if each.content not in left]
            keep_all(folder, {each.content: each.file for each in usable}.items(), _subfolder(work, "contents"))
        number = numbers[-1] + 1 if numbers else 1
        if new:
            write_thumbnails(folder, number, thumbnails)
        after = [*both.rows, *_new_rows(folder, both, new, thumbnails)]
        notes = (*both.notes, *_unreadable(problems))
        if newest and after == rows:
            return Added(newest, False, notes)
        sources = [on_screen(each) for each in addition.paths]
        return Added(write_version(folder, number, after, rows, sources), True, notes)


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    """Give an empty folder on the disk of the data set, for all temporary files."""
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{WORK}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    before, work = tempfile.tempdir, Path(tempfile.mkdtemp(prefix=WORK, dir=folder))
    tempfile.tempdir = str(work)
    try:
        yield work
    finally:
        tempfile.tempdir = before
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):  # unless there is something in it
            folder.rmdir()


def _subfolder(work: Path, name: str) -> Path:
    folder = work / name
    folder.mkdir()
    return folder


def _all_said(addition: Addition, rows: Sequence[Row], work: Path, stack: ExitStack) -> Said:
    """Return what all paths say; unpacked archives stay until the stack is closed."""
    has_test = any(row.part == "test" for row in kept(rows))
    together = Said([], [])
    for number, path in enumerate(_inside(Path(addition.paths[0])) if addition.watched else map(Path, addition.paths)):
        given = stack.enter_context(opened_data(path, work))
        said = said_by(given, addition.options, _subfolder(work, f"arrays{number}"), has_test)
        together.statements.extend(said.statements)
        together.problems.extend(said.problems)
    return together


def _inside(folder: Path) -> list[Path]:
    """Return what a watched folder holds: its archives and .npz files, oldest first, and the folder if it is data."""
    endings = (*ENDINGS, ".npz")
    files = [each for each in folder.iterdir() if each.name.lower().endswith(endings) and each.name[0] != "."]
    found = sorted((each for each in files if each.is_file()), key=lambda each: each.stat().st_mtime_ns)
    is_data = any(each.recognises(folder) for each in all_formats())
    return [*found, folder] if is_data or not found else found


def _decoded(new: Sequence[Statement], work: Path) -> tuple[list[Statement], Thumbnails, list[str]]:
    """Return the new images that can be decoded, their thumbnails, and a sentence for each other."""
    if not new:
        return [], {}, []
    files = [ImageFile(each.file, each.label, each.part, each.name, each.group) for each in new]
    looked = [Looked(each.key) for each in new]
    options = DataOptions(image_size=SIDE, unreadable=1.0)
    decoded = decode_all(files, looked, options, Workshop(_subfolder(work, "thumbnails"), LARGEST))
    picture_of = {each.file: picture for each, picture in zip(decoded.files, decoded.images, strict=True)}
    usable = [each for each in new if each.file in picture_of]
    return usable, {each.content: np.array(picture_of[each.file]) for each in usable}, decoded.problems


def _new_rows(folder: Path, both: Merged, new: Sequence[Statement], thumbnails: Thumbnails) -> list[Row]:
    """Return a row for each new image, with its side for ever."""
    found = [
        Row(each.content, each.label, each.part, each.group, each.name, each.key, *each.shape, each.size)
        for each in new
    ]
    parts: list[Part] = [row.part for row in found]
    if not all(parts):
        together = [*both.rows, *found]
        keys = np.array([row.key for row in together], np.uint64)
        alike = near_duplicates(thumbnails_of(folder, [row.content for row in together], thumbnails), keys)
        groups = [row.group for row in together]
        parts = sides([row.part for row in together], alike, groups, keys)[len(both.rows) :]
    return [row._replace(part=part) for row, part in zip(found, parts, strict=True)]


def _unreadable(problems: Sequence[str]) -> list[str]:
    if not problems:
        return []
    files = "1 file cannot be used and is" if len(problems) == 1 else f"{len(problems):,} files cannot be used and are"
    return [f"{files} left out; the first: {problems[0].rstrip('.')}"]


def as_told(added: Added) -> dict[str, object]:
    """Return it as JSON-able values."""
    return {"version": added.version.to_json(), "is_new": added.is_new, "notes": list(added.notes)}


def from_told(values: dict[str, object]) -> Added:
    """Return what `as_told` made values of."""
    return Added(**values | {"version": Version.from_json(values["version"]), "notes": tuple(values["notes"])})  # type: ignore[arg-type]
