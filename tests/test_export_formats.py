"""`mnist export` of a real champion: other programs get from the files what was recorded of it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from commands import MNIST
from homes import environment_of
from made_data import make_dataset

from mnist_models.training_run.export import FORMATS

pytestmark = pytest.mark.slow

KERAS = "import keras; predict = lambda x: keras.saving.load_model(path).predict(x, verbose=0)"
SAVED = "import tensorflow as tf; model = tf.saved_model.load(path); predict = lambda x: model.serve(x).numpy()"
ONNX = "import onnxruntime as o; s = o.InferenceSession(path); predict = lambda x: s.run(None, {'images': x})[0]"
TFLITE = """
from ai_edge_litert.interpreter import Interpreter
run = Interpreter(model_path=path).get_signature_runner()
(name,) = run.get_input_details()
predict = lambda x: np.concatenate([*run(**{name: x}).values()])
"""
READERS = {"keras": KERAS, "saved_model": SAVED, "onnx": ONNX, "tflite": TFLITE, "tflite-int8": TFLITE}


def read_by_others(name, path, folder):
    """The probabilities of the test images by a process that knows the file's format only."""
    np.save(folder / "x.npy", make_dataset(classes=4, side=16, train=300, test=80).x_test)
    before, after = "import sys; import numpy as np; path = sys.argv[1]", "np.save('y.npy', predict(np.load('x.npy')))"
    code = "\n".join([before, READERS[name], after])
    done = subprocess.run([sys.executable, "-P", "-c", code, path], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load(folder / "y.npy")


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_other_programs_get_the_same_answers(trained, tmp_path, name):
    command = [MNIST, "export", "champion", "--format", name, "--json"]
    result = subprocess.run(command, cwd=tmp_path, env=environment_of(trained), capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["output"] == str(tmp_path / f"test-model-{told['version']}{FORMATS[name].suffix}")
    assert told["images"] == 80
    assert told["equal"] >= FORMATS[name].least_equal
    expected = recorded(trained, told["version"], tmp_path)
    given = read_by_others(name, told["output"], tmp_path)
    if name == "tflite-int8":
        assert np.mean(given.argmax(axis=1) == expected.argmax(axis=1)) >= 0.97
        assert np.abs(given - expected).max() > 1e-6  # it is another computation
    else:
        np.testing.assert_allclose(given, expected, atol=1e-4)
    again = subprocess.run(command, cwd=tmp_path, env=environment_of(trained), capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists already" in again.stderr


def recorded(trained, version, folder):
    """What the pipeline noted as the version's predictions for the test images, float32 [n, classes]."""
    from mlflow import MlflowClient

    store = f"sqlite:///{trained}/state/mlflow.db"
    client = MlflowClient(store, registry_uri=store)
    run = client.get_model_version("test-model", version).run_id
    with np.load(client.download_artifacts(run, "predictions.npz", str(folder))) as arrays:
        return arrays["test"]
