"""Write a model in another format, and compare it with the model on the test images."""

from pathlib import Path

import numpy as np

from mnist_models.atomic import write_atomically
from mnist_models.data.arrays import load_arrays
from mnist_models.evaluation.predicted_class import predicted
from mnist_models.trainer.exports.convert import convert
from mnist_models.trainer.exports.run import written_model
from mnist_models.trainer.inference import BATCH, probabilities_of
from mnist_models.trainer.model_file import load_model
from mnist_models.training_run.export import Agreement
from mnist_models.training_run.job import ExportJob


def export(job: ExportJob) -> None:
    """Write the model, and then its agreement as JSON; `load_model` says what is refused."""
    model, data = load_model(job.model), load_arrays(job.data)
    convert(model, job.format, data.x_train, job.output)
    original, other = probabilities_of(model), written_model(job.format, job.output)
    equal, differences = 0, [0.0]
    for start in range(0, len(data.x_test), BATCH):
        images = np.ascontiguousarray(data.x_test[start : start + BATCH])
        expected, given = original(images), other(images)
        equal += int((predicted(expected) == predicted(given)).sum())
        differences.append(float(np.abs(expected - given).max()))
    count = len(data.x_test)
    agreement = Agreement(count, equal / count, float(np.max(differences)), _size(job.output))
    write_atomically(job.report, agreement.to_json())


def _size(path: Path) -> int:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
