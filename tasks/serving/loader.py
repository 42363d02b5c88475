"""What MLflow calls to load a logged model as a function: it runs from a copy in the model's own folder.

Nothing but mlflow, keras, numpy, pandas, pillow and scipy is there besides what was copied.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mnist_models.errors import InvalidInput
from mnist_models.serving.facts import ServingFacts
from mnist_models.serving.served_model import COLUMNS, ServedModel

FACTS = "serving.json"  # in the model's folder
READ_PATHS = "read_paths"  # an option of `mlflow.pyfunc.load_model`, in its `model_config`


class ImageModel:
    """A model as `mlflow.pyfunc` wants it."""

    def __init__(self, served: ServedModel) -> None:
        self._served = served

    def predict(self, images: Any) -> pd.DataFrame:
        """Return an answer for each image, as `ServedModel.answers` does.

        Raise MlflowException for what that refuses: a server answers with its sentence and status 400.
        """
        from mlflow.exceptions import MlflowException

        try:
            rows = self._served.answers(images)
        except InvalidInput as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None
        # Labels beside a problem would become 1.0 and NaN, which is no JSON.
        types = object if any(row["problem"] for row in rows) else None
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype=types).astype({"problem": object})


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> ImageModel:
    """Load the model in the folder `path`."""
    from mlflow.keras import load_model

    facts = ServingFacts.from_json((Path(path) / FACTS).read_text())
    network = partial(_probabilities, load_model(path))
    preparation = facts.preparation
    shape = (*preparation.size, 3) if preparation.channels == 3 else preparation.size
    for count in (1, 2):  # two sizes make Keras compile it for any, before requests come on several threads
        network(np.zeros((count, *shape), np.uint8))
    return ImageModel(ServedModel(facts, network, bool((model_config or {}).get(READ_PATHS))))


def _probabilities(model: Any, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(model.predict_on_batch(images), np.float32)
