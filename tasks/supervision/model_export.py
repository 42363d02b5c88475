"""A registered version in a format of other programs: written, compared, and kept only if it says the same."""

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mnist_models.atomic import flush
from mnist_models.data.arrays import load_arrays
from mnist_models.data.loader import prepare_data
from mnist_models.errors import InvalidInput, unknown_name
from mnist_models.shown_text import in_title
from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.errors import TrainingFailed
from mnist_models.training_run.export import FORMATS, Agreement, check_agreement
from mnist_models.training_run.job import ExportJob
from tasks.config.settings import Settings
from tasks.supervision.failures import first_line
from tasks.supervision.weights import downloaded_weights
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

OFFICIAL = "MNIST"  # what the data set is called that is fetched where none is named


def check_format(name: str) -> None:
    """Raise InvalidInput if there is no such format, or this installation cannot write it."""
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    missing = [module for module in FORMATS[name].modules if find_spec(module) is None]
    if missing:
        raise InvalidInput(
            f"format: {name} needs {', '.join(missing)}, which the extra `export` installs:"
            " pip install 'mnist-pipeline[export]'."
        )


def output_path(given: str, name: str, stem: str) -> Path:
    """Return the file or folder to write in the format `name`; raise InvalidInput if it is there or cannot be made."""
    suffix = FORMATS[name].suffix
    path = Path(given or f"{stem}{suffix}").absolute()
    shown = in_title(given or path.name)
    if suffix and path.suffix != suffix:
        raise InvalidInput(f"output: {shown} must end with {suffix} for the format {name}.")
    if path.exists() or path.is_symlink():
        raise InvalidInput(f"output: {shown} exists already; name another file, or remove it.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidInput(f"output: {shown} must be in an existing folder that can be written to.")
    return path


def data_of(settings: Settings, version: "ModelVersion", data: str, say: Callable[[str], None]) -> Path:
    """Return the folder of the data set that a version was trained and tested on.

    It is the one at `data`, or else what is kept of it on this machine, or the official MNIST. Raise InvalidInput if
    that is not there or is another one.
    """
    digest, name = version.tags.get("data_digest", ""), version.tags.get("data", "")
    which = f"{version.name} version {version.version}"
    if not digest:
        raise InvalidInput(f"version: {which} was not registered by this pipeline, so that its data are not known.")
    kept = settings.data / digest[:16]
    with suppress(Exception):  # whatever is missing or damaged there
        if not data and load_arrays(kept).digest == digest:
            return kept
    if not data and name != OFFICIAL:
        raise InvalidInput(f"data: {in_title(name)}, on which {which} was tested, is not kept here; name it by --data.")
    prepared = prepare_data(data, settings.data, say, settings.data_options)
    if prepared.dataset.digest != digest:
        raise InvalidInput(f"data: these are not the data on which {which} was tested, which were {in_title(name)}.")
    return prepared.folder


def export_version(
    tracker: Tracker, backend: Backend, version: "ModelVersion", data: Path, name: str, output: Path
) -> Agreement:
    """Write a version to `output` in the format `name`, and return how well both agree on the test images in `data`.

    Raise InvalidInput, and leave nothing, if they do not, or the version cannot be used or written so.
    """
    with TemporaryDirectory(prefix=f".{output.stem}.", dir=output.parent) as temporary:
        folder = Path(temporary)
        written, report = folder / f"export{output.suffix}", folder / "report.json"
        job = ExportJob(downloaded_weights(tracker, version, folder), data, name, written, report)
        try:
            with backend.slot() as slot:
                slot.run(job)
        except TrainingFailed as error:
            raise InvalidInput(
                f"format: version {version.version} cannot be written as {name}: {first_line(error).rstrip('.')}."
            ) from error
        agreement = Agreement.from_json(report.read_text())
        check_agreement(name, agreement)
        for each in (*written.rglob("*"), written):
            flush(each)
        written.rename(output)
        flush(output.parent)
    return agreement
