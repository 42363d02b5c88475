"""What the champion sees in image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.artifacts import create_table_artifact

from mnist_models.errors import InvalidInput
from mnist_models.images.prepare import Preparation, prepare
from mnist_models.images.read import read_image
from tasks.registry import champion_version, predict_images
from tasks.session import Session


def read_images(files: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Read all images, greyscale uint8 [height, width] each, or refuse the first that is none."""
    if not files:
        raise InvalidInput("files: name at least one PNG or JPEG image.")
    return [read_image(Path(file)) for file in files]


@task(name="predict", task_run_name="predict", persist_result=False)
def predict_files(session: Session, files: Sequence[str]) -> list[dict[str, Any]]:
    """Label, probability and runner-up for each file, by the champion.

    Raises:
        InvalidInput: a file is not a usable image, or there is no champion yet.
    """
    images = read_images(files)
    version = champion_version(session)
    if version is None:
        raise InvalidInput(
            f"{session.settings.registered_model}: no version has the alias {session.settings.alias!r} yet;"
            " train one first with `mnist train`."
        )
    if "preparation" not in version.tags:
        raise InvalidInput(
            f"{version.name}: version {version.version} was not registered by this pipeline, so that it is not known"
            " how to prepare images for it."
        )
    preparation = Preparation.from_json(version.tags["preparation"])
    prepared = np.stack([_prepared(file, image, preparation) for file, image in zip(files, images, strict=True)])
    probabilities = predict_images(session, version, prepared)
    rows = [_row(file, each) for file, each in zip(files, probabilities, strict=True)]
    create_table_artifact(rows, key="predictions", description=f"{version.name} version {version.version}")
    return rows


def _prepared(file: str, image: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.uint8]:
    try:
        return prepare(image, preparation)
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error}") from None


def _row(file: str, probabilities: NDArray[np.float32]) -> dict[str, Any]:
    first, second = (int(index) for index in np.argsort(-probabilities)[:2])
    return {
        "file": file,
        "label": first,
        "probability": round(float(probabilities[first]), 4),
        "runner_up": second,
        "runner_up_probability": round(float(probabilities[second]), 4),
    }
