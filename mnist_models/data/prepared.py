"""Data that were read before: known by the content of all files, and taken as they were prepared then."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mnist_models.atomic import write_atomically
from mnist_models.data.arrays import facts_from_json, facts_to_json, load_arrays, save_arrays
from mnist_models.data.assembly.assemble import Origin, assemble_arrays
from mnist_models.data.assembly.assemble_files import assemble_files
from mnist_models.data.assembly.decode_files import Looked, Workshop, look_at
from mnist_models.data.dataset import Dataset
from mnist_models.data.found import ImageFile, ImageFiles
from mnist_models.data.options import DataOptions
from mnist_models.data.read import LARGEST, opened_data
from mnist_models.data.sets.contents import Files, files_of, set_version
from mnist_models.data.sets.names import Reference

VERSION = 1  # of how images are prepared; a change of it makes everything be prepared anew
RECORDS = "prepared"  # the folder of the records


def read_or_reuse(path: Path, options: DataOptions, folder: Path) -> tuple[Path, Dataset]:
    """Return the data set at `path`, and the subfolder of `folder` in which its arrays are.

    Image files that have been prepared before, with the same labels and options, are not decoded again. Raise
    InvalidInput as `read_data`.
    """
    with opened_data(path) as opened:
        if isinstance(opened.found, ImageFiles):
            found, origin, looked = opened.found, opened.origin, look_at(opened.found.files)
            digest = _digest(found, looked, options)
            return _reused_or_made(digest, lambda: Files(found, looked), origin, options, folder)
        with TemporaryDirectory(prefix="made-") as made:
            return _saved(assemble_arrays(opened.found, opened.origin, options, Path(made)), folder)


def set_or_reuse(sets: Path, reference: Reference, options: DataOptions, folder: Path) -> tuple[Path, Dataset]:
    """Return a version of a named data set as `read_or_reuse`; what was prepared before is not even opened."""
    version = set_version(sets, reference)
    digest = hashlib.sha256(json.dumps([VERSION, options.to_json(), version.digest]).encode()).hexdigest()
    origin = Origin(version.name, str(version))
    place, dataset = _reused_or_made(digest, lambda: files_of(sets, version), origin, options, folder)
    facts = replace(dataset.facts, version=str(version), version_digest=version.digest)
    return place, replace(dataset, facts=facts)


def _reused_or_made(
    digest: str, files: Callable[[], Files], origin: Origin, options: DataOptions, folder: Path
) -> tuple[Path, Dataset]:
    record = folder / RECORDS / f"{digest}.json"
    with suppress(Exception):  # what is missing or damaged in any way is made again
        return _recorded(record, folder, origin.name, origin.source)
    with TemporaryDirectory(prefix="made-") as made:
        given = files()
        dataset = assemble_files(given.found, given.looked, origin, options, Workshop(Path(made), LARGEST))
        place, saved = _saved(dataset, folder)
        write_atomically(record, json.dumps({"folder": place.name, "facts": facts_to_json(dataset.facts)}))
        return place, saved


def _saved(dataset: Dataset, folder: Path) -> tuple[Path, Dataset]:
    place = save_arrays(dataset, folder)
    return place, load_arrays(place, dataset.name, dataset.source, dataset.facts)


def _recorded(record: Path, folder: Path, name: str, source: str) -> tuple[Path, Dataset]:
    values = json.loads(record.read_text())
    place = folder / values["folder"]
    dataset = load_arrays(place, name, source, facts_from_json(values["facts"]))
    if replace(dataset, known_digest="").digest != dataset.digest:
        raise ValueError("damaged")
    return place, dataset


def _digest(found: ImageFiles, looked: Sequence[Looked], options: DataOptions) -> str:
    """Return what tells image files, their labels and how they are prepared from all others."""
    rows = [_row(each, known) for each, known in zip(found.files, looked, strict=True)]
    content = [VERSION, options.to_json(), rows, found.left_alone, found.empty_classes]
    return hashlib.sha256(json.dumps(content).encode(errors="surrogatepass")).hexdigest()


def _row(each: ImageFile, known: Looked) -> tuple[str, ...]:
    return each.where, each.label, each.part, each.group, str(known.key), known.problem
