"""Whole flow runs in the tests' own process, and what they leave in MLflow."""

from pathlib import Path

import mlflow
import pytest
from made_data import make_dataset
from mlflow import MlflowClient
from PIL import Image

from mnist_models.figures.renderer import Renderer
from mnist_models.trainer_pool.machine import machine
from mnist_models.trainer_pool.pool import TrainerPool


def run(**parameters):
    from flows.train import train

    return train(**({"suite": "small"} | parameters))


def client():
    uri = f"sqlite:///{Path.cwd() / 'state' / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    return MlflowClient(uri, registry_uri=uri)


def names(artifacts):
    return {artifact.path for artifact in artifacts}


def image_of(folder, number):
    """The file of a test image."""
    made = make_dataset(classes=4, side=16, train=300, test=80)
    path = folder / f"{number}.png"
    Image.fromarray(made.x_test[number]).save(path)
    return str(path)


class KeptPool(TrainerPool):
    """Outlives the flow run that uses it."""

    def close(self):
        self.cancellation.cancel()


class KeptRenderer(Renderer):
    """Outlives the flow run that uses it."""

    def close(self):
        pass


@pytest.fixture(scope="module")
def kept_workers(tmp_path_factory):
    """Processes for all flow runs of a file: each import of TensorFlow takes ten seconds."""
    logs = tmp_path_factory.mktemp("logs")
    pool, renderer = KeptPool(machine(), logs), KeptRenderer(logs)
    yield pool, renderer
    TrainerPool.close(pool)
    Renderer.close(renderer)


@pytest.fixture
def warm(kept_workers, monkeypatch):
    """Flow runs find processes that have started already."""
    pool, renderer = kept_workers

    def reuse(_settings, cancellation):
        pool.cancellation = cancellation
        return pool

    monkeypatch.setattr("tasks.flow_run.context.new_backend", reuse)
    monkeypatch.setattr("tasks.flow_run.context.Renderer", lambda _logs: renderer)
