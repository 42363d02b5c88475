"""Names of classes on their way: a version's tag, the logged model, the champion, and why another keeps its place."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from made_data import make_dataset

from mnist_models.data.dataset import Facts
from mnist_models.images.prepare import Preparation
from mnist_models.serving.facts import ServingFacts
from tasks import judgement
from tasks.analyse_mistakes import _diagnosis
from tasks.config.settings import Settings
from tasks.fetch_data import described
from tasks.judgement import Wishes, judge_candidate, shape_tag
from tasks.operations.deployment_status import Overview
from tasks.registry.champion import Champion, champion
from tasks.registry.class_names import LONGEST_TAG, class_names_of, class_names_tag
from tasks.registry.placement import Placement
from tasks.tracking.model_format import SavedModel, write_model_folder

NAMES = ("circle", "square", "triangle", "star")


def version(**tags):
    return SimpleNamespace(name="net", version=7, run_id="run", tags=tags)


def test_the_tag_says_the_names():
    names = ("猫", "$x$", "a\nb")
    assert class_names_of(version(**class_names_tag(names))) == names
    thousand = tuple(f"{number:060d}" for number in range(1000))
    assert class_names_of(version(**class_names_tag(thousand))) == thousand
    assert class_names_tag(("x" * LONGEST_TAG,)) == {}  # MLflow would refuse the version


@pytest.mark.parametrize("tag", ["", "none", "{}", "[]", "[1, 2]", "3", "null"])
def test_what_is_no_list_of_names_says_nothing(tag):
    assert class_names_of(version(class_names=tag)) is None
    assert class_names_of(version()) is None


def test_the_champion_tells_its_classes():
    served = version(**class_names_tag(NAMES))
    client = SimpleNamespace(get_model_version_by_alias=lambda *_: served)
    tracker = SimpleNamespace(client=client, settings=SimpleNamespace(registered_model="net", alias="champion"))
    assert champion(tracker).class_names == [*NAMES]
    served.tags.clear()
    assert champion(tracker).class_names == []


def test_the_status_says_which_classes_the_champion_knows(monkeypatch, capsys, tmp_path):
    from flows.cli import status

    monkeypatch.setattr(status, "lost_champion", lambda _: "")
    for names, said in ((NAMES, "It knows 4 classes: circle, square, triangle, star."), (("0", "1"), "")):
        best = Champion("net", "1", "small", "run", 0.9, "shapes", [*names])
        monkeypatch.setattr(status, "look", lambda _, best=best: Overview(best, [], [], [], None))
        status.print_status(Settings.at(tmp_path))
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Champion: small, net version 1, test accuracy 90.00% on shapes."
        assert [line for line in lines if line.startswith("It knows")] == ([said] if said else [])
        status.print_status(Settings.at(tmp_path), as_json=True)
        assert json.loads(capsys.readouterr().out)["champion"]["class_names"] == [*names]


def test_a_logged_model_tells_its_classes(tmp_path):
    from mlflow.models import Model

    file = tmp_path / "model.keras"
    file.write_bytes(b"weights")
    (tmp_path / "logged").mkdir()
    example = np.zeros((2, 16, 20, 3), np.uint8)
    facts = ServingFacts(Preparation((16, 20), False, None, False, channels=3), NAMES, 1.0)
    model = SavedModel("net", file, example, facts, step=1, parameters={})
    write_model_folder(tmp_path / "logged", model, "run", "m-1")
    logged = Model.load(str(tmp_path / "logged"))
    assert logged.metadata["class_names"] == [*NAMES]


DATA = make_dataset(classes=4, side=16, train=300, test=200)
DATA = type(DATA)(**vars(DATA) | {"facts": Facts(class_names=NAMES)})


def test_the_line_about_the_data_names_the_classes():
    assert "16×16, 4 classes: circle, square, triangle, star; pixels" in described(DATA)
    assert "16×16, 4 classes; pixels" in described(make_dataset(classes=4))


def test_a_divergence_names_the_class_that_every_prediction_is():
    result = SimpleNamespace(first_nan_step=3, nan_variables=("output/bias",), test_accuracy=0.25)
    evaluated = SimpleNamespace(trained=SimpleNamespace(result=result))
    assert "every prediction is \\*circle, because" in _diagnosis(evaluated, ("*circle", "square"))
    assert "every prediction is class 0, because" in _diagnosis(evaluated, ("0", "1"))


@pytest.fixture
def judged(monkeypatch, tmp_path):
    """Judge a candidate that is always right, against a champion with these tags that is nearly as good."""
    probabilities = np.eye(4, dtype=np.float32)[DATA.y_test]
    champions = probabilities.copy()
    champions[:20] = np.roll(champions[:20], 1, axis=1)

    def judge(replace=False, **tags):
        serving = version(image_shape=shape_tag(DATA), classes="4", data_digest="other", **tags)
        monkeypatch.setattr(judgement, "serves_now", lambda _: (serving, Placement(("7",))))
        monkeypatch.setattr(judgement, "twins", lambda *_: [])
        monkeypatch.setattr(judgement, "files_are_lost", lambda *_: False)
        monkeypatch.setattr(judgement, "_champion_probabilities", lambda *_: champions)
        training = SimpleNamespace(folder="net", identity="x")
        candidate = SimpleNamespace(
            trained=SimpleNamespace(training=training), predictions=SimpleNamespace(test=probabilities)
        )
        context = SimpleNamespace(
            settings=Settings.at(tmp_path, accuracy_floor=0.5),
            tracker=SimpleNamespace(client=None),
            child_runs={"net": SimpleNamespace(run_id="mine")},
        )
        return judge_candidate(context, DATA, candidate, Wishes(replace=replace)).decision

    return judge


def test_a_champion_with_the_same_names_is_compared_with(judged):
    decision = judged(**class_names_tag(NAMES))
    assert decision.promote
    assert "candidate_accuracy" in decision.numbers
    assert decision.numbers["champion_accuracy"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (("circle", "square", "triangle", "cross"), "classes cross, here star"),
        (
            ("star", "circle", "square", "triangle"),
            "in another order: star, circle, square …, here circle, square, tri",
        ),
        (("0", "1", "2", "3"), "classes 0, 1, 2 …, here circle, square, triangle …"),
    ],
)
def test_a_champion_with_other_names_keeps_its_place_unless_told_otherwise(judged, known, said):
    decision = judged(**class_names_tag(known))
    assert (decision.promote, decision.contends) == (False, False)
    assert decision.reason.startswith("the champion solves another problem: ")
    assert said in decision.reason
    assert "--model NAME" in decision.reason
    assert judged(replace=True, **class_names_tag(known)).promote


@pytest.mark.parametrize("tag", [{}, {"class_names": "nonsense"}, {"class_names": json.dumps(["a", "b"])}], ids=str)
def test_where_names_are_not_known_only_the_answers_count(judged, tag):
    decision = judged(**tag)
    assert decision.promote
    assert "champion_accuracy" in decision.numbers
