"""A finished training's model in MLflow's format, written without importing TensorFlow.

`mlflow.keras.log_model` needs the model as an object, and so Keras in this process. The folder that it
writes is small and documented (https://mlflow.org/docs/latest/ml/model/#storage-format); ours is the same,
around the `.keras` file that the trainer has saved, and loads with `mlflow.keras` and `mlflow.pyfunc`.
"""

import shutil
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from tasks.tracking.tracker import Tracker

PACKAGES = ("mlflow", "tensorflow", "keras", "numpy")


def log_model(
    tracker: Tracker, run_id: str, name: str, model: Path, example: NDArray[np.uint8], classes: int, step: int
) -> str:
    """Log a `.keras` file as a LoggedModel of a run, and give its id.

    Args:
        tracker: the store.
        run_id: the run that trained it.
        name: what the model is called in MLflow.
        model: takes uint8 [n, height, width], gives float32 [n, classes].
        example: uint8 [n, height, width], stored as the input example.
        classes: how many.
        step: after which its weights were taken.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    client = tracker.client
    model_id = _begun(tracker, run_id) or str(
        client.create_logged_model(tracker.experiment_id, name=name, source_run_id=run_id, model_type="keras").model_id
    )
    with TemporaryDirectory() as folder:
        write_model_folder(Path(folder), model, example, classes, run_id, model_id)
        client.log_model_artifacts(model_id, folder)
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id=model_id, step=step)])
    return model_id


def _begun(tracker: Tracker, run_id: str) -> str | None:
    """What an upload that was cut has left: it is completed, rather than logged a second time."""
    filter_string = f"source_run_id = '{run_id}'"
    found = tracker.client.search_logged_models([tracker.experiment_id], filter_string=filter_string)
    return str(found[0].model_id) if found else None


def write_model_folder(
    folder: Path, model: Path, example: NDArray[np.uint8], classes: int, run_id: str, model_id: str
) -> None:
    """Write what `mlflow.keras.save_model` would."""
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    signature = ModelSignature(
        Schema([TensorSpec(np.dtype("uint8"), (-1, *example.shape[1:]))]),
        Schema([TensorSpec(np.dtype("float32"), (-1, classes))]),
    )
    description = Model(run_id=run_id, model_id=model_id, signature=signature)
    description.add_flavor(
        "keras", data="data", keras_version=version("keras"), keras_backend="tensorflow", save_exported_model=False
    )
    pyfunc.save_model(
        str(folder),
        loader_module="mlflow.keras",
        mlflow_model=description,
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in PACKAGES],
    )
    (folder / "data").mkdir()  # not before, because MLflow saves into empty folders only
    shutil.copyfile(model, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras")
    description.model_size_bytes = model.stat().st_size
    description.save(str(folder / "MLmodel"))
