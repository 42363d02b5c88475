"""The train and predict flows, whole: a real Prefect server, real trainer processes, a real MLflow store."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from flow_runs import client, image_of, kept_workers, names, run, warm  # noqa: F401
from made_data import make_dataset, write_idx_folder, write_npz
from made_images import CLASSES, write_class_folder
from prefect.exceptions import ParameterTypeError
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, PREFECT_RESULTS_PERSIST_BY_DEFAULT, temporary_settings

from mnist_models.errors import InvalidInput
from mnist_models.evaluation.temperature import tempered

pytestmark = [pytest.mark.usefixtures("prefect_server", "home", "small_recipes", "warm"), pytest.mark.slow]


@pytest.fixture
def data(tmp_path, store):
    return str(write_npz(make_dataset(classes=4, side=16, train=300, test=80), tmp_path / "data.npz"))


@pytest.mark.fault(9)
def test_the_whole_story(data, tmp_path):
    summary = run(data=data, summary=str(tmp_path / "summary.json"))
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    rows = {row["recipe"]: row for row in summary["recipes"]}
    assert list(rows) == ["small", "small_best", "small_diverged"]
    assert [row["status"] for row in rows.values()] == ["finished", "finished", "diverged"]
    assert rows["small_diverged"]["first_nan_step"] >= 1
    assert summary["decision"]["promoted"] is True
    assert summary["champion"]["recipe"] in ("small", "small_best")

    mlflow_client = client()
    parent = mlflow_client.get_run(summary["mlflow_run_id"])
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["prefect.flow_run_id"] == summary["flow_run_id"]
    note = parent.data.tags["mlflow.note.content"]
    assert f"The best of this run, {summary['best']}, was promoted: {summary['decision']['reason']}." in note
    assert note.index("Champion: ") < note.index("| [small_best](#/experiments/")
    assert parent.data.tags["best"].startswith(f"{summary['best']}, ")
    assert names(mlflow_client.list_artifacts(parent.info.run_id)) == {
        "comparison.csv", "data", "figures", "summary.json",
    }  # fmt: skip
    assert names(mlflow_client.list_artifacts(parent.info.run_id, "data")) == {
        "data/classes", "data/report.html", "data/report.md",
    }  # fmt: skip
    assert names(mlflow_client.list_artifacts(parent.info.run_id, "data/classes")) == {
        f"data/classes/{label}.png" for label in range(4)
    }
    assert names(mlflow_client.list_artifacts(parent.info.run_id, "figures")) == {
        "figures/comparison.png", "figures/validation_accuracy.png", "figures/train_loss.png",
        "figures/smallness_study.png",
    }  # fmt: skip

    for row in rows.values():
        child = mlflow_client.get_run(row["mlflow_run_id"])
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert child.data.tags["status"] == row["status"]
        assert child.info.status == "FINISHED"
        assert child.data.metrics["test/accuracy"] == row["test_accuracy"]
        assert child.data.metrics["diverged"] == (row["status"] == "diverged")
        used = {each.dataset.name: each.dataset.digest for each in child.inputs.dataset_inputs}
        assert sorted(name.split(" (")[1] for name in used) == ["testing)", "training)"]
        assert set(used.values()) == {each.dataset.digest for each in parent.inputs.dataset_inputs}
        history = mlflow_client.get_metric_history(row["mlflow_run_id"], "train/loss")
        assert sorted(metric.step for metric in history) == list(range(1, 41))
        for metric in ("validation/loss", "validation/accuracy"):
            assert len(mlflow_client.get_metric_history(row["mlflow_run_id"], metric)) == 4
        figures = names(mlflow_client.list_artifacts(row["mlflow_run_id"], "figures"))
        assert figures == {
            f"figures/{name}.png"
            for name in (
                "learning_curves", "sample_images", "predictions", "mistakes", "confusion_matrix",
                "per_class_accuracy", "reliability_diagram",
            )
        }  # fmt: skip
        assert {"mistakes.html", "mistakes.csv", "predictions.npz"} <= names(
            mlflow_client.list_artifacts(row["mlflow_run_id"])
        )
    diverged = mlflow_client.get_run(rows["small_diverged"]["mlflow_run_id"])
    assert diverged.data.metrics["first_nan_step"] == rows["small_diverged"]["first_nan_step"]
    assert diverged.data.tags["nan_variable"].endswith("output/bias")
    assert "**Diverged:**" in diverged.data.tags["mlflow.note.content"]
    assert "failure" not in diverged.data.tags
    kept = names(mlflow_client.list_artifacts(diverged.info.run_id, "checkpoints"))
    assert "checkpoints/model.keras" in kept
    assert any("last-good-step" in name for name in kept)
    assert any(key.startswith("system/") for key in diverged.data.metrics)

    # The champion loads both ways, and gives what was scored.
    champion = mlflow_client.get_model_version_by_alias("test-model", "champion")
    assert str(champion.version) == summary["champion"]["version"]
    assert champion.tags["decision"] == "promoted"
    assert "no champion" in champion.tags["reason"]
    x = make_dataset(classes=4, side=16, train=300, test=80).x_test
    file = mlflow_client.download_artifacts(champion.run_id, "predictions.npz", str(tmp_path))
    with np.load(file) as arrays:
        expected = arrays["test"]
    function = mlflow.pyfunc.load_model("models:/test-model@champion")
    answers = function.predict(x)
    temperature = float(champion.tags["temperature"])
    np.testing.assert_allclose(np.stack(answers["probabilities"]), tempered(expected, temperature), atol=1e-5)
    assert answers["label"].tolist() == expected.argmax(axis=1).tolist()
    assert answers["name"].tolist() == answers["label"].map(str).tolist()
    assert str(function.metadata.signature.inputs) == "['image': Tensor('object', (-1,))]"
    keras_model = mlflow.keras.load_model("models:/test-model@champion")
    np.testing.assert_allclose(keras_model.predict(x, verbose=0), expected, atol=1e-6)


def test_a_second_run_reuses_and_force_trains_again(data):
    first = run(data=data)
    second = run(data=data)
    assert {row["status"] for row in second["recipes"]} == {"reused"}
    assert [row["mlflow_run_id"] for row in second["recipes"]] == [row["mlflow_run_id"] for row in first["recipes"]]
    assert second["decision"] == {"promoted": False, "reason": "it is the champion already"}
    version = client().get_model_version("test-model", second["champion"]["version"])
    assert version.tags["decision"] == "promoted"  # what brought it there stays
    assert client().get_run(second["mlflow_run_id"]).data.tags["reason"] == "it is the champion already"
    # Nothing was logged twice.
    history = client().get_metric_history(first["recipes"][0]["mlflow_run_id"], "train/loss")
    assert len(history) == 40
    forced = run(data=data, force=True)
    assert [row["status"] for row in forced["recipes"]] == ["finished", "finished", "diverged"]
    assert forced["recipes"][0]["mlflow_run_id"] != first["recipes"][0]["mlflow_run_id"]
    # The same seed gives the same result, so that there is no reason to promote it.
    assert [row["test_accuracy"] for row in forced["recipes"]] == [row["test_accuracy"] for row in first["recipes"]]
    assert forced["decision"]["promoted"] is False


def test_seeds_repeat_each_recipe(data):
    summary = run(data=data, recipes=["small"], seed=5, seeds=3, promote=False)
    assert [(row["recipe"], row["seed"]) for row in summary["recipes"]] == [("small", seed) for seed in (5, 6, 7)]
    accuracies = [row["test_accuracy"] for row in summary["recipes"]]
    assert summary["spread"]["small"]["mean"] == pytest.approx(np.mean(accuracies))
    assert summary["spread"]["small"]["sd"] == pytest.approx(np.std(accuracies, ddof=1))
    parent = client().get_run(summary["mlflow_run_id"])
    assert parent.data.metrics["test_accuracy/small"] == pytest.approx(np.mean(accuracies))
    assert summary["decision"] == {"promoted": False, "reason": "promotion was not asked for"}
    assert summary["champion"] is None
    assert summary["best"] in {row["name"] for row in summary["recipes"]}
    assert client().search_model_versions("name='test-model'") == []  # what is no candidate is no version
    later = run(data=data, recipes=["small"], seed=5, seeds=3)
    reason = later["decision"]["reason"]
    version = client().get_model_version("test-model", "1")
    assert version.description.startswith("Promoted, ")
    assert f"**Why:** {reason}." in version.description
    assert f"**promoted**: {reason}" in client().get_registered_model("test-model").description
    assert version.tags["reason"] == reason


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    "wrong",
    [
        {"suite": "smal"},
        {"recipes": ["smal"]},
        {"seed": 2**31, "seeds": 1},
        {"data": "nowhere.npz"},
        {"summary": "nowhere/summary.json"},
    ],
    ids=str,
)
def test_bad_input_ends_the_flow_before_anything_is_done(wrong):
    with pytest.raises((InvalidInput, ParameterTypeError)):
        run(**wrong)
    assert not [*Path("state").glob("mlflow.db"), *Path("state").glob("runs/*"), *Path("state").glob("data/*")]


def test_another_problem_never_takes_the_champions_place(data, tmp_path):
    first = run(data=data, recipes=["small"])
    other = make_dataset(classes=3, side=20, train=200, test=60)
    second = run(data=str(write_idx_folder(other, tmp_path / "other")), recipes=["small"])
    assert second["decision"]["promoted"] is False
    assert "images of 16x16 in 4 classes, here 20x20 in 3; give" in second["decision"]["reason"]
    assert second["champion"] == first["champion"]
    assert len(client().search_model_versions("name='test-model'")) == 1


@pytest.mark.long
def test_labels_that_mean_something_else_need_a_model_of_their_own_or_a_word(data, tmp_path):
    from flows.predict import predict

    first = run(data=data, recipes=["small"])
    made = make_dataset(classes=4, side=16, train=300, test=80)
    turned = replace(made, y_train=3 - made.y_train, y_test=3 - made.y_test)
    other = str(write_npz(turned, tmp_path / "turned.npz"))
    refused = run(data=other, recipes=["small"])
    assert refused["decision"]["promoted"] is False
    assert "solves another problem" in refused["decision"]["reason"]
    assert refused["champion"] == first["champion"]
    apart = run(data=other, recipes=["small"], model="turned-model")
    assert apart["decision"]["promoted"] is True
    assert (apart["champion"]["name"], apart["champion"]["data"]) == ("turned-model", "turned")
    assert client().get_model_version_by_alias("test-model", "champion").version == 1
    asked = [predict([image_of(tmp_path, 0)], model=name)[0]["model"] for name in ("", "turned-model")]
    assert asked == ["test-model", "turned-model"]
    told = run(data=other, recipes=["small"], replace=True)
    assert told["decision"]["promoted"] is True
    version = client().get_model_version_by_alias("test-model", "champion")
    assert (version.tags["data"], json.loads(version.tags["class_names"])) == ("turned", ["0", "1", "2", "3"])


@pytest.mark.long
def test_images_that_the_champion_was_trained_on_do_not_count(data, tmp_path):
    """A set has grown, and its owner has moved what was for training into the test part."""
    run(data=data, recipes=["small"])
    before, new = np.load(data), make_dataset(classes=4, side=16, train=200, test=60, seed=5)
    moved = replace(
        new,
        x_test=np.concatenate([before["x_train"][:40], before["x_test"][:20], new.x_test]),
        y_test=np.concatenate([before["y_train"][:40], before["y_test"][:20], new.y_test]),
    )
    result = run(data=str(write_npz(moved, tmp_path / "moved.npz")), recipes=["small"])
    assert "without 40 that one of them was trained on" in result["decision"]["reason"]
    tags = client().get_run(result["mlflow_run_id"]).data.tags
    assert (tags["decision.images_left_out"], tags["decision.common_images"]) == ("40", "20")
    assert tags["decision.new_images"] == "60"
    assert {"decision.common_difference", "decision.new_difference_low"} <= tags.keys()


@pytest.mark.long
@pytest.mark.fault(25)
def test_a_champion_whose_files_are_lost_is_named_and_can_be_replaced(data):
    run(data=data, recipes=["small"])
    shutil.rmtree("state/artifacts")
    same = run(data=data, recipes=["small"])
    assert "its files are gone; `mnist train --force` makes them again" in same["decision"]["reason"]
    assert same["champion"]["version"] == "1"
    again = run(data=data, recipes=["small"], force=True)
    assert again["decision"]["reason"].startswith("the files of the champion, version 1, are gone, and ")
    assert again["champion"]["version"] == "2"


@pytest.mark.long
def test_what_a_person_has_rolled_back_from_does_not_return(data):
    (other,) = (
        row["mlflow_run_id"] for row in run(data=data, promote=False)["recipes"] if row["recipe"] == "small_best"
    )
    run(data=data, recipes=["small"])
    mlflow_client = client()
    assert str(mlflow_client.create_model_version("test-model", "file:///nowhere", other).version) == "2"
    mlflow_client.set_registered_model_alias("test-model", "champion", 2)  # by hand
    for _ in range(2):
        again = run(data=data, recipes=["small"])
        assert again["champion"]["version"] == "2"
        assert again["decision"]["promoted"] is False
        assert "what was rolled back does not return by itself" in again["decision"]["reason"]
    table = mlflow_client.get_registered_model("test-model").description
    assert "| **2, champion** |" in table
    assert "**put there by hand**: a person has put it in the place of version 1" in table
    assert "**rolled back**: a person has put version 2 in its place" in table


@pytest.mark.long
def test_new_data_of_the_same_kind_is_compared_on_its_own_test_images(data, tmp_path):
    run(data=data, recipes=["small"])
    other = make_dataset(classes=4, side=16, train=300, test=200, seed=1)
    second = run(data=str(write_npz(other, tmp_path / "new.npz")), recipes=["small"])
    assert "new data" in second["decision"]["reason"]
    version = client().get_model_version("test-model", "2")
    assert float(version.tags["decision.candidate_accuracy"]) == second["recipes"][0]["test_accuracy"]
    assert "decision.difference_low" in version.tags


@pytest.mark.long
def test_a_champion_that_something_else_registered_is_named(data, tmp_path):
    from flows.predict import predict

    run(data=data, recipes=["small"])
    mlflow_client = client()
    for key in ("preparation", "image_shape"):
        mlflow_client.delete_model_version_tag("test-model", "1", key)
    with pytest.raises(InvalidInput, match="not registered by this pipeline"):
        predict([image_of(tmp_path, 0)])
    second = run(data=data, recipes=["small"], seed=1)
    assert "not registered by this pipeline" in second["decision"]["reason"]


def test_nothing_is_pickled_even_where_results_are_to_be_kept(data, tmp_path):
    from flows.predict import predict

    kept = {PREFECT_RESULTS_PERSIST_BY_DEFAULT: True, PREFECT_LOCAL_STORAGE_PATH: tmp_path / "results"}
    with temporary_settings(kept):
        run(data=data, recipes=["small"])
        predict([image_of(tmp_path, 0)])
    assert not [*(tmp_path / "results").rglob("*")]


def test_predict_reads_images_with_the_champion(data, tmp_path):
    from flows.predict import predict

    with pytest.raises(InvalidInput, match="mnist train"):
        predict([image_of(tmp_path, 0)])
    run(data=data, recipes=["small"])
    made = make_dataset(classes=4, side=16, train=300, test=80)
    files = [image_of(tmp_path, number) for number in range(8)]
    *rows, missing = predict([*files, "gone.png"])
    assert [row["file"] for row in rows] == files
    assert missing["problem"] == "gone.png does not exist; it must be a PNG, JPEG, BMP, WebP, GIF or TIFF file."
    assert {row["temperature"] for row in rows} == {
        float(client().get_model_version("test-model", "1").tags["temperature"])
    }
    assert np.mean([row["label"] == made.y_test[number] for number, row in enumerate(rows)]) >= 0.75
    # The logged model prepares the same files in the same way.
    served = mlflow.pyfunc.load_model("models:/test-model@champion", model_config={"read_paths": True})
    answers = served.predict(pd.DataFrame({"image": [*files, "gone.png"]}))
    assert answers["label"].tolist() == [*(row["label"] for row in rows), None]
    probabilities = answers["probability"].tolist()[:-1]
    np.testing.assert_allclose(probabilities, [row["probability"] for row in rows], atol=1e-4)
    assert answers["problem"].tolist() == [None] * len(files) + [missing["problem"]]
    for row in rows:
        assert row["label"] != row["runner_up"]
        assert 1 >= row["probability"] >= row["runner_up_probability"] >= 0


def test_names_of_classes_are_everywhere(tmp_path, store):
    settings = Path("mlflow.yml")
    settings.write_text(settings.read_text().replace("accuracy_floor: 0.5", "accuracy_floor: 0"))  # shapes are hard
    folder = write_class_folder(tmp_path / "shapes")
    summary = run(data=str(folder), recipes=["small"])
    (row,) = summary["recipes"]
    (recipe,) = Path("state/runs").glob("*/recipe.json")
    assert json.loads(recipe.read_text())["class_names"] == [*CLASSES]
    mlflow_client = client()
    artifacts = Path(mlflow_client.download_artifacts(row["mlflow_run_id"], "", str(tmp_path)))
    mistakes = pd.read_csv(artifacts / "mistakes.csv")
    assert len(mistakes) == round((1 - row["test_accuracy"]) * 15)
    for number, name in (("label", "label_name"), ("prediction", "prediction_name")):
        assert mistakes[name].tolist() == [CLASSES[each] for each in mistakes[number]]
    page = (artifacts / "mistakes.html").read_text()
    assert page.count(" <i>taken for</i> ") == len(mistakes) > 0
    assert all(f"<bdi>{name}</bdi>" in page for name in mistakes["label_name"])
    assert len(names(mlflow_client.list_artifacts(row["mlflow_run_id"], "figures"))) == 7
    (used, *_) = (each.dataset for each in mlflow_client.get_run(row["mlflow_run_id"]).inputs.dataset_inputs)
    assert json.loads(used.profile)["names"] == [*CLASSES]

    assert summary["decision"]["promoted"] is True
    assert summary["champion"]["class_names"] == [*CLASSES]
    version = mlflow_client.get_model_version_by_alias("test-model", "champion")
    assert json.loads(version.tags["class_names"]) == [*CLASSES]
    assert "with seed 0; 3 classes: circle, square, triangle." in version.description
    loaded = mlflow.pyfunc.load_model("models:/test-model@champion")
    assert loaded.metadata.metadata["class_names"] == [*CLASSES]
