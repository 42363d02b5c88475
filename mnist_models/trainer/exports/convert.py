"""Write a model in a format of FORMATS."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

EXAMPLES = 200  # training images by which a converter finds the range of each activation


def convert(model: keras.Model, name: str, examples: NDArray[np.uint8], path: Path) -> None:
    """Write a `served_model` to `path` in the format `name`; `examples` are training images, as many as there are.

    Input and output stay: uint8 [n, height, width], also with channels, to float32 [n, classes].
    """
    model(examples[:1])  # Keras exports no model that it has not seen in use
    writers: dict[str, Callable[[], Any]] = {
        "keras": lambda: model.save(path),
        "saved_model": lambda: model.export(path, format="tf_saved_model", verbose=False),
        "onnx": lambda: model.export(path, format="onnx", verbose=False),
        "tflite": lambda: model.export(path, format="litert", verbose=False),
        "tflite-int8": lambda: model.export(path, format="litert", verbose=False, **_eight_bits(examples)),
    }
    writers[name]()


def _eight_bits(examples: NDArray[np.uint8]) -> dict[str, Any]:
    chosen = examples[np.linspace(0, len(examples) - 1, min(EXAMPLES, len(examples))).astype(np.int64)]

    def one_by_one() -> Iterator[list[NDArray[np.uint8]]]:
        for image in chosen:
            yield [image[None]]

    return {"optimizations": [tf.lite.Optimize.DEFAULT], "representative_dataset": one_by_one}
