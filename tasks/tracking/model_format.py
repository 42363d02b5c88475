"""A finished training's model in MLflow's format, written without importing TensorFlow.

`mlflow.keras.log_model` needs the model as an object, and so Keras in this process. The folder that it
writes is small and documented (https://mlflow.org/docs/latest/ml/model/#storage-format); ours is the same,
around the `.keras` file that the trainer has saved, and loads with `mlflow.keras` and `mlflow.pyfunc`.
"""

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from numpy.typing import NDArray

from tasks.tracking.tracker import Tracker

PACKAGES = ("mlflow", "tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class SavedModel:
    """A model that a training has saved."""

    name: str  # what it is called in MLflow
    file: Path  # `.keras`; takes uint8 [n, height, width], gives float32 [n, classes]
    example: NDArray[np.uint8]  # [n, height, width], stored as the input example
    classes: int
    step: int  # after which its weights were taken


def log_model(tracker: Tracker, run_id: str, model: SavedModel) -> str:
    """Log a model as a LoggedModel of the run that has trained it, and return its id."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    client = tracker.client
    model_id = _begun(tracker, run_id) or str(
        client.create_logged_model(
            tracker.experiment_id, name=model.name, source_run_id=run_id, model_type="keras"
        ).model_id
    )
    with TemporaryDirectory() as folder:
        write_model_folder(Path(folder), model, run_id, model_id)
        client.log_model_artifacts(model_id, folder)
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id=model_id, step=model.step)])
    return model_id


def _begun(tracker: Tracker, run_id: str) -> str | None:
    """What an upload that was cut has left: it is completed, rather than logged a second time."""
    filter_string = f"source_run_id = '{run_id}'"
    found = tracker.client.search_logged_models([tracker.experiment_id], filter_string=filter_string)
    return str(found[0].model_id) if found else None


def write_model_folder(folder: Path, model: SavedModel, run_id: str, model_id: str) -> None:
    """Write what `mlflow.keras.save_model` would."""
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.models.utils import _save_example  # `pyfunc.save_model` would do, and look through all packages
    from mlflow.types import Schema, TensorSpec

    (folder / "data").mkdir()
    shutil.copyfile(model.file, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras")
    signature = ModelSignature(
        Schema([TensorSpec(np.dtype("uint8"), (-1, *model.example.shape[1:]))]),
        Schema([TensorSpec(np.dtype("float32"), (-1, model.classes))]),
    )
    description = Model(run_id=run_id, model_id=model_id, signature=signature)
    description.add_flavor(
        "keras", data="data", keras_version=version("keras"), keras_backend="tensorflow", save_exported_model=False
    )
    pyfunc.add_to_model(description, loader_module="mlflow.keras", conda_env="conda.yaml", python_env="python_env.yaml")
    _save_example(description, model.example, str(folder))
    description.save(str(folder / "MLmodel"))
    _write_environment(folder)


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
