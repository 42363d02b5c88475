"""A named data set from the first images to the log that says which runs have used which version."""

import json

import pytest
from commands import mnist_here
from flow_runs import client, kept_workers, run, warm  # noqa: F401
from homes import write_settings
from made_images import write_class_folder
from prefect import runtime
from prefect.client.orchestration import get_client

from mnist_models.data.sets.add import Addition, add
from mnist_models.errors import InvalidInput
from tasks.config.settings import load_settings
from tasks.flow_run.pinned_data import pinned_data_tags, with_pinned_data
from tasks.flow_run.request import TrainRequest


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


def log(name="shapes"):
    shown = mnist_here("data", "log", name, "--json")
    assert shown.returncode == 0, shown.stderr
    return {version["number"]: version for version in json.loads(shown.stdout)["versions"]}


def tags_of(flow_run_id):
    with get_client(sync_client=True) as prefect:
        return prefect.read_flow_run(flow_run_id).tags


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server", "home", "store", "small_recipes", "warm")
def test_add_train_add_train_log(tmp_path):
    said = mnist_here("data", "add", "shapes", str(write_class_folder(tmp_path / "june", each=30)))
    assert said.returncode == 0, said.stderr
    assert "shapes@1: 90 added" in said.stdout
    assert log()[1]["runs"] == []
    first = run(recipes=["small"], data="shapes")
    write_class_folder(tmp_path / "july", each=10, seed=1)
    (tmp_path / "june" / "circle" / "0.png").rename(tmp_path / "july" / "square" / "corrected.png")
    said = mnist_here("data", "add", "shapes", str(tmp_path / "july"))
    assert "30 added" in said.stdout
    assert "1 relabelled (circle → square 1)" in said.stdout
    second = run(recipes=["small"], data="shapes")
    again = run(recipes=["small"], data="shapes@1")

    versions = log()
    used = {number: [each["run_id"] for each in version["runs"]] for number, version in versions.items()}
    assert used == {1: [first["mlflow_run_id"], again["mlflow_run_id"]], 2: [second["mlflow_run_id"]]}
    assert again["recipes"][0]["status"] == "reused"
    assert versions[2]["runs"][0]["trainings"] == [second["recipes"][0]["mlflow_run_id"]]
    for summary, number in ((first, 1), (second, 2), (again, 1)):
        assert f"data:shapes@{number}" in tags_of(summary["flow_run_id"])
        for run_id in (summary["mlflow_run_id"], summary["recipes"][0]["mlflow_run_id"]):
            tags = client().get_run(run_id).data.tags
            assert (tags["data"], tags["data_set"], tags["data_version"]) == ("shapes", "shapes", str(number))
            assert tags["data_version_digest"] == versions[number]["digest"]
            assert len(tags["data_digest"]) == 64
    for version in client().search_model_versions("name='test-model'"):
        assert version.tags["data_set"] == "shapes"
        assert version.tags["data_version"] in ("1", "2")

    text = mnist_here("data", "log", "shapes").stdout
    assert "train small (1 training)" in text
    assert "1 relabelled (circle → square 1)" in text


@pytest.fixture
def growing(home, tmp_path):
    sets = load_settings().named_sets

    def grow(each):
        return add(sets, Addition("shapes", (str(write_class_folder(tmp_path / "june", each=each)),)), print)

    grow(2)
    return grow


def test_the_version_of_a_retried_flow_run_is_that_of_its_first_try(growing, monkeypatch):
    settings, request = load_settings(), TrainRequest(data="shapes")
    tags = ["project:x", "data:other@7"]
    monkeypatch.setattr(runtime, "flow_run", type("FlowRun", (), {"tags": tags}))
    begun = with_pinned_data(settings, request)
    assert begun.data == "shapes@1"
    tags += pinned_data_tags(settings, begun)
    assert tags[-1] == "data:shapes@1"
    growing(3)
    assert with_pinned_data(settings, request).data == "shapes@1"
    assert with_pinned_data(settings, TrainRequest(data="shapes@2")).data == "shapes@2"
    tags.clear()
    assert with_pinned_data(settings, request).data == "shapes@2"
    with pytest.raises(InvalidInput, match="shapes@9 is not there"):
        with_pinned_data(settings, TrainRequest(data="shapes@9"))
    official = TrainRequest()
    assert with_pinned_data(settings, official) == official
    assert pinned_data_tags(settings, official) == []


@pytest.mark.slow
def test_a_team_names_its_folder_of_data_sets(home, tmp_path):
    write_settings(home, more=f"datasets: {tmp_path / 'shared'}\n")
    said = mnist_here("data", "add", "shapes", str(write_class_folder(tmp_path / "june", each=2)))
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "shared" / "shapes" / "versions" / "1.json").is_file()


def test_the_log_says_what_changed_even_if_mlflow_is_away(growing, home):
    growing(3)
    shown = mnist_here("data", "log", "shapes")
    assert shown.returncode == 0, shown.stderr
    assert "3 added (circle 1, square 1, triangle 1)" in " ".join(shown.stdout.split())
    assert "no run" in shown.stdout
    assert not (home / "state" / "mlflow.db").exists()
    write_settings(home, more="tracking_uri: http://127.0.0.1:9\n")
    shown = mnist_here("data", "log", "shapes")
    assert shown.returncode == 0, shown.stderr
    assert "MLflow does not answer" in " ".join(shown.stdout.split())
    assert log()[2]["runs"] is None
    shown = mnist_here("data", "log")
    assert "shapes@2" in shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add",), "give what to add"),
        (("add", "shapes"), "give what to add"),
        (("add", "a/b", "."), "name: 'a/b' is not allowed"),
        (("log", "other"), "there is no data set other; the data sets are shapes"),
        (("log", "../shapes"), "name: '../shapes' is not allowed"),
        (("remove", "shapes"), "say what to remove"),
        (("remove", "shapes", "nothing"), "nothing is no image of shapes"),
    ],
)
def test_what_is_wrong_is_one_sentence(growing, arguments, words):
    refused = mnist_here("data", *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
