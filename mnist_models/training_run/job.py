"""What a trainer process is told to do, in a form that fits on one line of JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class TrainJob:
    """Train the recipe of a run directory."""

    directory: Path  # the run directory, with its recipe; a checkpoint in it is resumed
    seed: int
    data: Path  # a folder written by `save_arrays`
    precision: Precision
    continues: Path | None = None  # the run directory whose final state is the start
    kind: Literal["train"] = "train"


@dataclass(frozen=True)
class PredictJob:
    """Apply a saved model to images."""

    model: Path  # model.keras
    images: Path  # .npy, uint8 [n, height, width]
    probabilities: Path  # .npy to write, float32 [n, classes]
    kind: Literal["predict"] = "predict"


@dataclass(frozen=True)
class ExportJob:
    """Write a saved model in another format, and compare both on test images."""

    model: Path  # model.keras
    data: Path  # a folder written by `save_arrays`, whose images the model takes
    format: str  # a key of `export.FORMATS`
    output: Path  # the file or folder to write
    report: Path  # to write when it is done: an `Agreement` as JSON
    kind: Literal["export"] = "export"


Job = TrainJob | PredictJob | ExportJob
KINDS: dict[str, type[Job]] = {"train": TrainJob, "predict": PredictJob, "export": ExportJob}


def to_line(job: Job) -> str:
    """Encode a job for the trainer's standard input."""
    return json.dumps(asdict(job), default=str) + "\n"


def from_line(line: str) -> Job:
    """Decode what `to_line` wrote."""
    fields: dict[str, Any] = json.loads(line)
    paths = {"directory", "data", "continues", "model", "images", "probabilities", "output", "report"}
    fields = {key: Path(value) if key in paths and value is not None else value for key, value in fields.items()}
    return KINDS[fields["kind"]](**fields)
