"""What is stored for MLflow's UI: the experiment's views and description, the model's decisions, the links."""

import json
import shlex
from urllib.parse import parse_qs, urlsplit

import pytest
from mlflow.exceptions import MlflowException

from mnist_models.evaluation.promotion import Decision
from tasks.config.settings import load_settings
from tasks.registry.model_page import MOST_VERSIONS, PENDING, describe_version, how_to_serve, update_model_description
from tasks.tracking.experiment_page import DESCRIPTION, FORMER
from tasks.tracking.links import MOST_CURVES, curves_link, experiment_link, run_link
from tasks.tracking.tracker import Tracker

BETTER = Decision(True, "it is better | by far", {"wins": 9, "p_value": 0.004})


@pytest.fixture
def tracker(store):
    return Tracker(load_settings())


def tags(tracker):
    return tracker.client.get_experiment(tracker.experiment_id).tags


def view(tracker, key):
    saved = json.loads(tags(tracker)[f"mlflow.sharedViewState.{key}"])
    return saved, json.loads(saved["state"])


def test_a_new_experiment_has_views_and_a_description(tracker):
    saved, state = view(tracker, "comparisons")
    assert saved["name"] == "Comparisons, newest first"
    assert isinstance(saved["createdAt"], int)
    assert (state["orderByKey"], state["orderByAsc"]) == ("attributes.start_time", False)
    assert state["selectedColumns"][:4] == ["tags.`best`", "tags.`decision`", "tags.`data`", "metrics.`test/accuracy`"]
    assert state["columnOrder"] == state["selectedColumns"] == [*state["columnWidths"]]
    trainings = view(tracker, "trainings")[1]
    assert trainings["orderByKey"] == "metrics.`test/accuracy`"
    assert [each["groupByData"] for each in trainings["groupBy"]["groupByKeys"]] == ["data", "data_digest"]
    assert tags(tracker)["mlflow.note.content"] == DESCRIPTION


@pytest.mark.slow
def test_every_chosen_column_is_logged(trained):
    """A metric or tag under another name would be an empty column."""
    from mlflow import MlflowClient

    store = f"sqlite:///{trained}/state/mlflow.db"
    client = MlflowClient(store, registry_uri=store)
    experiment = client.get_experiment_by_name("test")
    runs = client.search_runs([experiment.experiment_id])
    logged = {f"metrics.`{name}`" for run in runs for name in run.data.metrics}
    logged |= {f"tags.`{name}`" for run in runs for name in run.data.tags}
    for key, shown in (("comparisons", "tags.suite LIKE '%'"), ("trainings", "tags.recipe LIKE '%'")):
        saved = json.loads(json.loads(experiment.tags[f"mlflow.sharedViewState.{key}"])["state"])
        assert {*saved["selectedColumns"]} - {"attributes.`Models`"} <= logged
        assert client.search_runs([experiment.experiment_id], saved.get("searchFilter", ""))
        rows = client.search_runs([experiment.experiment_id], shown)
        for column in {*saved["selectedColumns"]} - {"attributes.`Models`"}:  # none is "–" from top to bottom
            kind, name = column.replace("`", "").split(".", 1)
            assert all(name in getattr(row.data, kind) for row in rows), column


def test_an_existing_experiment_gets_what_it_lacks_and_keeps_what_users_wrote(tracker):
    settings = tracker.settings
    experiment = tracker.client.create_experiment(settings.experiment_name, settings.resolved_artifact_location)
    tracker.client.set_experiment_tag(experiment, "mlflow.note.content", "Ours.")
    tracker.client.set_experiment_tag(experiment, "mlflow.sharedViewState.comparisons", "from an older version")
    assert tracker.experiment_id == experiment
    assert tags(tracker)["mlflow.note.content"] == "Ours."
    assert view(tracker, "comparisons")[1]["orderByAsc"] is False


def test_a_description_of_an_earlier_version_says_now_where_the_runs_are(tracker):
    settings = tracker.settings
    experiment = tracker.client.create_experiment(settings.experiment_name, settings.resolved_artifact_location)
    tracker.client.set_experiment_tag(experiment, "mlflow.note.content", f"{FORMER}, the newest first …")
    assert tracker.experiment_id == experiment
    assert tags(tracker)["mlflow.note.content"].startswith("Choose **Model training**, top left")


def test_nothing_is_written_twice(tracker, monkeypatch):
    before = tags(tracker)
    again = Tracker(tracker.settings)
    monkeypatch.setattr(type(again.client), "set_experiment_tag", lambda *_: pytest.fail("written again"))
    assert again.experiment_id == tracker.experiment_id
    assert tags(again) == before


def test_others_that_prepare_the_page_in_the_same_moment_are_no_failure(tracker, monkeypatch):
    """PostgreSQL refuses the second of two who insert a tag at once."""
    write, seen = type(tracker.client).set_experiment_tag, set()

    def faster(client, experiment, key, value):
        write(client, experiment, key, value)
        if key not in seen:
            seen.add(key)
            raise MlflowException('duplicate key value violates unique constraint "experiment_tag_pk"')

    monkeypatch.setattr(type(tracker.client), "set_experiment_tag", faster)
    assert tracker.experiment_id
    assert tags(tracker)["mlflow.note.content"] == DESCRIPTION
    assert seen == {"mlflow.note.content", "mlflow.sharedViewState.comparisons", "mlflow.sharedViewState.trainings"}


def test_a_deleted_experiment_comes_back_with_its_page(tracker):
    tracker.client.delete_experiment(tracker.experiment_id)
    again = Tracker(tracker.settings)
    assert again.experiment_id == tracker.experiment_id
    assert tags(again)["mlflow.note.content"] == DESCRIPTION


@pytest.fixture
def model(tracker):
    """A registered model with a version for each recipe that it is called with."""
    name = tracker.settings.registered_model
    tracker.client.create_registered_model(name, description="What it is for.\n\nHow to use it.")

    def register(recipe):
        run = tracker.start_run(recipe, {})
        labels = PENDING | {"recipe": recipe, "test_accuracy": "0.959900"}
        return tracker.client.create_model_version(name, "file:///nowhere", run, labels)

    return register


def described(tracker):
    update_model_description(tracker.client, tracker.settings.registered_model, tracker.experiment_id, "champion")
    return tracker.client.get_registered_model(tracker.settings.registered_model).description


def test_the_model_lists_its_latest_decisions_under_what_users_wrote(tracker, model):
    first, second = model("narrow"), model("wide")
    assert described(tracker).startswith("What it is for.\n\nHow to use it.\n\n## Decisions\n\n|")
    tracker.client.set_model_version_tag(first.name, second.version, "decision", "not promoted")
    tracker.client.set_model_version_tag(first.name, second.version, "reason", "a | b")
    text = described(tracker)
    rows = text.splitlines()[-2:]
    link = run_link("", tracker.experiment_id, second.run_id)
    assert rows[0] == f"| 2 | 95.99% | [wide]({link}) | **not promoted**: a \\| b |"
    assert "**pending**" in rows[1]
    assert described(tracker) == text
    tracker.client.update_registered_model(first.name, "Mine.\n\n## Decisions\n\nold")
    assert described(tracker).startswith("Mine.\n\n## Decisions\n\n| version")


def test_the_list_of_decisions_marks_the_champion_and_what_was_rolled_back(tracker, model):
    first, second = model("narrow"), model("wide")
    tracker.client.set_registered_model_alias(first.name, "champion", first.version)
    tracker.client.set_model_version_tag(first.name, second.version, "rolled_back", "a person has put version 1 there")
    rows = described(tracker).splitlines()[-2:]
    assert "; **rolled back**: a person has put version 1 there |" in rows[0]
    assert rows[1].startswith("| **1, champion** | ")


def test_the_list_of_decisions_stays_short(tracker, model):
    for number in range(MOST_VERSIONS + 2):
        model(f"net_{number}")
    text = described(tracker)
    assert f"net_{MOST_VERSIONS + 1}" in text
    assert "net_1]" not in text
    assert text.count("pending") == MOST_VERSIONS


def test_a_version_that_something_else_registered_is_listed(tracker, model):
    tracker.client.create_model_version(model("narrow").name, "file:///nowhere")
    assert "| 2 | – | unknown | **none**: something else has registered it |" in described(tracker)


def test_a_version_says_first_what_was_decided(model):
    version = model("wide")
    text = describe_version(version, "wide: One wide layer.", BETTER, "7")
    assert text.startswith("Promoted, 95.99%\n\n**Why:** it is better \\| by far.\n\nwide: One wide layer.")
    assert f"(#/experiments/7/runs/{version.run_id}?" in text
    assert "| p value | 0.004 |" in text
    kept = describe_version(version, "wide.", Decision(False, "promotion was not asked for"), "7")
    first = kept.split("\n")[0]
    assert first == "Not promoted, 95.99%"
    assert len(first) <= 32  # the UI's table of versions shows no more
    assert "| number | value |" not in kept


def test_a_version_says_how_to_serve_it_and_ask_it(model):
    text = how_to_serve("digits of 'ours'", "7")
    serve, ask = (line.strip() for line in text.splitlines() if line.startswith("    "))
    arguments = shlex.split(serve)
    assert arguments[arguments.index("-m") + 1] == "models:/digits of 'ours'/7"
    port = arguments[arguments.index("--port") + 1]
    assert f"http://127.0.0.1:{port}/invocations" in ask
    version = model("wide")
    assert how_to_serve(version.name, str(version.version)) in describe_version(version, "net.", BETTER, "7")


def test_links_open_our_view_and_survive_markdown():
    assert experiment_link("http://h:1", "7").startswith(
        "http://h:1/#/experiments/7/runs?workflowType=machine_learning&"
    )
    runs = [f"{number:032x}" for number in range(MOST_CURVES + 1)]
    link = curves_link("", "7", runs)
    assert link.startswith("#/metric?runs=")
    assert link.endswith("&workflowType=machine_learning")
    assert not set(link) & set("()[]<>'\" `|")
    query = parse_qs(urlsplit(link.removeprefix("#")).query)
    assert json.loads(query["runs"][0]) == runs[:MOST_CURVES]
    assert json.loads(query["experiments"][0]) == ["7"]
    assert json.loads(query["plot_metric_keys"][0]) == ["validation/accuracy"]
