"""The code that goes with a logged model: complete, by itself, and not mistaken for this project's."""

import ast
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from made_data import make_dataset

from mnist_models.evaluation.temperature import fit_temperature
from mnist_models.images.prepare import Preparation, preparation_of
from mnist_models.serving.facts import ServingFacts
from mnist_models.training_run.run_directory import Predictions
from tasks.evaluate import serving_facts
from tasks.serving.loader import FACTS, READ_PATHS
from tasks.serving.model_code import needed_modules, write_code
from tasks.tracking.model_format import PACKAGES, SavedModel, write_model_folder

ALONE = """
import importlib, sys
import numpy as np
import pandas as pd
loader = importlib.import_module(sys.argv[1])
package = sys.argv[1].removesuffix(".tasks.serving.loader")
inside = importlib.import_module(f"{package}.mnist_models.serving.served_model")
facts = loader.ServingFacts.from_json(open(sys.argv[2]).read())
model = loader.ImageModel(inside.ServedModel(facts, lambda images: np.full((len(images), 2), 0.5, np.float32)))
image = np.zeros((60, 60), np.uint8)
image[20:40, 25:35] = 255
from io import BytesIO
from PIL import Image
file = BytesIO()
Image.fromarray(image).save(file, "PNG")
print(model.predict(np.array([file.getvalue()], object)).to_dict(orient="records"))
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("mnist_models", "tasks", "prefect")))
"""


@pytest.mark.slow
def test_it_runs_where_this_project_is_not_installed_and_beside_another_of_its_name(tmp_path):
    code, other = tmp_path / "code", tmp_path / "other"
    module = write_code(code)
    for name in ("mnist_models", "tasks"):
        (other / name).mkdir(parents=True)
        (other / name / "__init__.py").write_text("raise SystemError('another version')")
    (tmp_path / "facts.json").write_text(ServingFacts(Preparation((28, 28), True, 20, True), ("a", "b"), 1.0).to_json())
    # Without site (-S) the packages are there, and nothing that is installed by a .pth file, as this project is.
    path = os.pathsep.join(map(str, (code, other, sysconfig.get_paths()["purelib"])))
    done = subprocess.run(
        [sys.executable, "-S", "-c", ALONE, module, str(tmp_path / "facts.json")],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answers, modules = done.stdout.splitlines()
    assert "'label': 0, 'name': 'a', 'probability': 0.5, 'problem': None" in answers
    assert modules == "[]"


def test_nothing_in_it_imports_this_project(tmp_path):
    module = write_code(tmp_path)
    package = module.partition(".")[0]
    files = list(tmp_path.rglob("*.py"))
    assert len(files) > 15
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in imported:
                assert name.partition(".")[0] not in ("mnist_models", "tasks", "flows", "prefect"), (file, name)
                if name.startswith(package):
                    assert (tmp_path / name.replace(".", "/")).with_suffix(".py").exists() or (
                        tmp_path / name.replace(".", "/") / "__init__.py"
                    ).exists()


def test_its_name_says_what_is_in_it(tmp_path, monkeypatch):
    first, again = write_code(tmp_path / "a"), write_code(tmp_path / "b")
    assert first == again
    monkeypatch.setattr("tasks.serving.model_code.OURS", ("mnist_models", "tasks", "json"))
    monkeypatch.setattr(Path, "read_text", changed(Path.read_text))
    assert write_code(tmp_path / "c") != first


def changed(read_text):
    def read(path, *given, **more):
        text = read_text(path, *given, **more)
        return f"{text}\n# another version\n" if path.name == "prepare.py" else text

    return read


def test_it_needs_no_more_than_the_model_says():
    """Packages outside the standard library are among those that MLflow installs for the model."""
    spelled = {"PIL": "pillow"}
    found = set()
    for name in needed_modules():
        if name.startswith(("mnist_models", "tasks")):
            file = Path(__import__(name, fromlist=["_"]).__file__)
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.partition(".")[0])
    outside = {spelled.get(name, name) for name in found - sys.stdlib_module_names - {"mnist_models", "tasks"}}
    assert outside <= set(PACKAGES)
    assert {"pillow", "scipy", "pandas"} <= outside


@pytest.fixture
def folder(tmp_path):
    made = make_dataset(classes=4, side=16)
    (tmp_path / "m.keras").write_bytes(b"weights")
    facts = ServingFacts(preparation_of(made.x_train, None), made.class_names, 1.25)
    out = tmp_path / "model"
    out.mkdir()
    write_model_folder(out, SavedModel("net", tmp_path / "m.keras", made.x_test[:2], facts, 1, {}), "r" * 32, "m-1")
    return out


def test_the_folder_holds_preparation_names_and_temperature(folder):
    facts = ServingFacts.from_json((folder / FACTS).read_text())
    assert facts.preparation.size == (16, 16)
    assert (facts.class_names, facts.temperature) == (("0", "1", "2", "3"), 1.25)
    function = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]["python_function"]
    assert function["config"] == {READ_PATHS: False}
    assert (folder / function["code"] / function["loader_module"].replace(".", "/")).with_suffix(".py").exists()
    assert "pillow==" in (folder / "requirements.txt").read_text()


def test_the_signature_lets_through_arrays_and_files_and_the_example_is_files(folder):
    from mlflow.models import Model
    from mlflow.models.utils import _enforce_schema

    model = Model.load(str(folder))
    schema = model.get_input_schema()
    images = np.zeros((3, 16, 16), np.uint8)
    assert _enforce_schema(images, schema)["image"] is images
    example = model.load_input_example(str(folder))
    assert [text[:11] for text in _enforce_schema(example, schema)["image"]] == ["iVBORw0KGgo"] * 2
    table = pd.DataFrame({"image": ["iVBORw0KGgo", b"\x89PNG"], "more": 1})
    assert _enforce_schema(table, schema)["image"].tolist() == table["image"].tolist()
    assert model.get_output_schema().input_names() == ["label", "name", "probability", "problem", "probabilities"]


def test_facts_are_measured_on_training_images_and_validation_predictions():
    made = make_dataset(classes=4, side=16)
    indices = np.arange(40)
    sure = np.full((40, 4), 0.01, np.float32)
    sure[indices, made.y_train[:40]] = 0.97
    sure[:20] = np.roll(sure[:20], 1, axis=1)  # half of them wrong: too sure by far
    facts = serving_facts(made, Predictions(test=sure, validation=sure, validation_indices=indices))
    assert facts.temperature == round(fit_temperature(sure, made.y_train[:40]), 4) > 2
    assert facts.preparation == preparation_of(made.x_train, None)
    assert facts.class_names == made.class_names
