"""A finished training's model in MLflow's format, written without importing TensorFlow.

`mlflow.keras.log_model` needs the model as an object, and so Keras in this process. The folder that it
writes is small and documented (https://mlflow.org/docs/latest/ml/model/#storage-format); ours is the same,
around the `.keras` file that the trainer has saved, and `mlflow.keras` loads it. `mlflow.pyfunc` loads it with code of
ours, which lies in the folder too: that prepares images as training did, and answers with names.
"""

import json
import platform
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mnist_models.evaluation.mistakes_page import data_uri
from mnist_models.metric_names import KEPT_VALIDATION_ACCURACY
from mnist_models.redaction import redacted
from mnist_models.serving.facts import ServingFacts
from mnist_models.serving.served_model import COLUMNS, IMAGE
from tasks.serving.loader import FACTS, READ_PATHS
from tasks.serving.model_code import write_code
from tasks.tracking.logged_parameters import check_logged
from tasks.tracking.tracker import Tracker, dataset_part

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

    from mnist_models.data.dataset import Dataset

CODE = "code"  # the folder of the modules that the model needs
VERSIONS = "mlflow.modelVersions"  # a tag of a model that the UI reads
# How the names of metrics begin that are measured on images, and on which.
MEASURED_ON = {"test/": "testing", KEPT_VALIDATION_ACCURACY: "training"}
PACKAGES = ("mlflow", "tensorflow", "keras", "numpy", "pandas", "pillow", "scipy")


@dataclass(frozen=True)
class SavedModel:
    """A model that a training has saved."""

    name: str  # what it is called in MLflow
    file: Path  # `.keras`; takes uint8 [n, height, width] or [n, height, width, 3], gives float32 [n, classes]
    example: NDArray[np.uint8]  # such images, stored as the input example
    serving: ServingFacts
    step: int  # after which its weights were taken
    parameters: Mapping[str, Any]  # of its training


def log_model(tracker: Tracker, run_id: str, model: SavedModel) -> str:
    """Log a model as a LoggedModel of the run that has trained it, and return its id."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    client = tracker.client
    model_id = _begun(tracker, run_id) or str(
        client.create_logged_model(
            tracker.experiment_id,
            name=model.name,
            source_run_id=run_id,
            params={name: redacted(str(value)) for name, value in model.parameters.items()},
            model_type="keras",
        ).model_id
    )
    check_logged(model.parameters)
    with TemporaryDirectory() as folder:
        write_model_folder(Path(folder), model, run_id, model_id)
        client.log_model_artifacts(model_id, folder)
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id=model_id, step=model.step)])
    return model_id


def log_model_metrics(
    tracker: Tracker, run_id: str, model_id: str, metrics: Iterable[tuple[str, float, int, int]], dataset: "Dataset"
) -> None:
    """Log what was measured after a training, (name, value, Unix milliseconds, step), with the run and with its model.

    MLflow ranks models by it, for each data set: what was measured on one names the part of it.
    """
    from mlflow.entities import Metric

    logged = []
    for name, value, moment, step in metrics:
        context = next((context for first, context in MEASURED_ON.items() if name.startswith(first)), None)
        part = dataset_part(dataset, context) if context else None
        measured_on = {"dataset_name": part.name, "dataset_digest": part.digest} if part else {}
        logged.append(Metric(name, value, moment, step, model_id=model_id, run_id=run_id, **measured_on))
    tracker.client.log_batch(run_id, logged)


def link_version(tracker: Tracker, model_id: str, name: str, version: str) -> None:
    """Say on the model's page which version of which registered model it is, as `mlflow.register_model` does."""
    known = json.loads(tracker.client.get_logged_model(model_id).tags.get(VERSIONS, "[]"))
    if (own := {"name": name, "version": version}) not in known:
        tracker.client.set_logged_model_tags(model_id, {VERSIONS: json.dumps([*known, own])})


def _begun(tracker: Tracker, run_id: str) -> str | None:
    """What an upload that was cut has left: it is completed, rather than logged a second time."""
    filter_string = f"source_run_id = '{run_id}'"
    found = tracker.client.search_logged_models([tracker.experiment_id], filter_string=filter_string)
    return str(found[0].model_id) if found else None


def write_model_folder(folder: Path, model: SavedModel, run_id: str, model_id: str) -> None:
    """Write what `mlflow.keras.save_model` would, and what answers with it."""
    from mlflow import pyfunc
    from mlflow.models import Model
    from mlflow.models.utils import _save_example  # `pyfunc.save_model` would do, and look through all packages

    (folder / "data").mkdir()
    shutil.copyfile(model.file, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras")
    (folder / FACTS).write_text(model.serving.to_json())
    known = {"class_names": list(model.serving.class_names)}
    description = Model(run_id=run_id, model_id=model_id, signature=_signature(), metadata=known)
    description.add_flavor(
        "keras", data="data", keras_version=version("keras"), keras_backend="tensorflow", save_exported_model=False
    )
    pyfunc.add_to_model(
        description,
        loader_module=write_code(folder / CODE),
        code=CODE,
        model_config={READ_PATHS: False},
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    encoded = [data_uri(image).partition(",")[2] for image in model.example]
    _save_example(description, np.array(encoded), str(folder))
    description.save(str(folder / "MLmodel"))
    _write_environment(folder)


def _signature() -> "ModelSignature":
    """Say what `ServedModel.answers` takes and gives.

    The one kind of input that MLflow lets through whatever it is, arrays and texts, is a tensor of objects.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec
    from mlflow.types.schema import Array

    double, text = DataType.double, DataType.string
    types: list[DataType | Array] = [DataType.long, text, double, text, Array(double)]
    answers = Schema([ColSpec(type, name, required=False) for name, type in zip(COLUMNS, types, strict=True)])
    return ModelSignature(Schema([TensorSpec(np.dtype("O"), (-1,), IMAGE)]), answers)


def _write_environment(folder: Path) -> None:
    """Write the three files by which MLflow installs what the model needs."""
    python, pip = platform.python_version(), version("pip")
    requirements = [f"{package}=={version(package)}" for package in PACKAGES]
    conda = [f"python={python}", f"pip<={pip}", {"pip": requirements}]
    contents = {
        "conda.yaml": {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": conda},
        "python_env.yaml": {
            "python": python, "build_dependencies": [f"pip=={pip}"], "dependencies": ["-r requirements.txt"],
        },
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_text(yaml.safe_dump(content))
    (folder / "requirements.txt").write_text("\n".join(requirements))
