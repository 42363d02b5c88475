"""Data as people have it, from the files to an answer over HTTP: train, predict, serve."""

import base64
from pathlib import Path

import httpx
import pytest
from flow_runs import kept_workers, run, warm  # noqa: F401
from made_images import CLASSES, draw, write_class_folder, write_table
from served import serving
from test_data_files import packed

from mnist_models.data.loader import add_to_set
from mnist_models.data.sets.add import Addition

pytestmark = [
    pytest.mark.usefixtures("prefect_server", "home", "small_recipes", "warm", "store"),
    *(pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)),
]


def a_folder(place):
    return str(write_class_folder(place / "shapes", each=80))


def a_table(place):
    place.mkdir()
    write_table(place / "table.csv", each=80)
    return str(place / "table.csv")


def an_archive(place):
    return str(packed(write_class_folder(place / "shapes", each=80), place / "shapes.zip"))


def a_growing_set(place):
    for first in (0, 40):
        folder = write_class_folder(place / f"from-{first}", each=40, first=first)
        add_to_set(Path("state/datasets"), Addition("shapes", (str(folder),)), print)
    return "shapes@2"


@pytest.mark.parametrize("data", [a_folder, a_table, an_archive, a_growing_set])
def test_from_files_to_an_answer(tmp_path, data):
    from flows.predict import predict

    settings = Path("mlflow.yml")
    settings.write_text(settings.read_text().replace("accuracy_floor: 0.5", "accuracy_floor: 0"))  # shapes are hard
    summary = run(data=data(tmp_path / "data"), recipes=["small"])
    assert summary["decision"]["promoted"] is True, summary["decision"]["reason"]
    photo = tmp_path / "photo.png"
    draw(CLASSES[1], 12345).save(photo)
    (row,) = predict([str(photo)])
    assert row["name"] in CLASSES
    assert row["problem"] is None
    with serving(Path.cwd()) as url:
        body = {"dataframe_split": {"columns": ["image"], "data": [[base64.b64encode(photo.read_bytes()).decode()]]}}
        (served,) = httpx.post(f"{url}/invocations", json=body, timeout=60).json()["predictions"]
    assert served["name"] == row["name"]
    assert served["probability"] == pytest.approx(row["probability"], abs=1e-3)
