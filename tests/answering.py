"""A champion whose answers a test says, without any server, and pictures to ask it about."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from mnist_models.trainer_pool.cancellation import Cancellation

CERTAIN, TORN = [0.01, 0.97, 0.02], [0.3, 0.6, 0.1]
NAMES = ("ape", "bee", "Kätzchen")


def version(**tags):
    from test_photos import MNIST

    tags = {"preparation": MNIST.to_json(), "recipe": "small", "class_names": json.dumps(NAMES)} | tags
    return SimpleNamespace(name="digits", version="7", run_id="abc", tags=tags)


def champion(monkeypatch, registered):
    from tasks.registry.image_champion import image_champion

    monkeypatch.setattr("tasks.registry.image_champion.champion_version", lambda _tracker: registered)
    settings = SimpleNamespace(registered_model="digits", alias="champion")
    return image_champion(SimpleNamespace(settings=settings))


@pytest.fixture
def answers(monkeypatch):
    """What the model says to each image; what it was asked, and how often it was opened."""
    from tasks.supervision import image_predictions

    said, asked, opened = [], [], []

    @contextmanager
    def model(context, registered):
        opened.append(registered)

        def predict(images):
            asked.append(images)
            return np.array([said.pop(0) for _ in images], np.float32)

        yield predict

    monkeypatch.setattr(image_predictions, "opened_model", model)
    return SimpleNamespace(said=said, asked=asked, opened=opened)


@pytest.fixture
def flow_run(tmp_path):
    """What the rows need of a flow run, with the screen in `out`."""
    from tasks.progress.display import Display

    out = io.StringIO()
    with ThreadPoolExecutor(1) as executor:
        yield SimpleNamespace(
            cancellation=Cancellation(),
            settings=SimpleNamespace(state=tmp_path / "state"),
            display=Display(Console(file=out, force_terminal=False, width=200)),
            prefect=executor,
            tracker=None,
            out=out,
        )


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """One with a figure, one with two, one with none, and a file that is no picture, in the current folder."""
    from test_photos import drawn

    monkeypatch.chdir(tmp_path)
    one, two = (np.asarray(drawn(number)) for number in (0, 4))
    for name, picture in (("one.png", 255 - one), ("two.png", 255 - np.hstack([one, two])), ("blank.png", one * 0)):
        Image.fromarray(picture).save(name)
    (tmp_path / "text.png").write_text("no image")
    return tmp_path
