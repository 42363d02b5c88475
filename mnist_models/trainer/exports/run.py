"""Run a model that was written in a format of FORMATS, in the way in which other programs do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_models.trainer.inference import Predictor, probabilities_of
from mnist_models.trainer.model_file import load_model


def written_model(name: str, path: Path) -> Predictor:
    """Return what computes the probabilities of the model at `path`, in the format `name`."""
    openers: dict[str, Callable[[Path], Predictor]] = {
        "keras": lambda file: probabilities_of(load_model(file)),
        "saved_model": _saved_model,
        "onnx": _onnx,
        "tflite": _tflite,
        "tflite-int8": _tflite,
    }
    return openers[name](path)


def _saved_model(path: Path) -> Predictor:
    loaded = tf.saved_model.load(path)

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = loaded.serve(images).numpy()
        return probabilities

    return predict


def _onnx(path: Path) -> Predictor:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (input_,) = session.get_inputs()

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        (probabilities,) = session.run(None, {input_.name: images})
        return np.asarray(probabilities, np.float32)

    return predict


def _tflite(path: Path) -> Predictor:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    (input_,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        interpreter.resize_tensor_input(input_["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(input_["index"], images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output["index"]), np.float32)

    return predict
