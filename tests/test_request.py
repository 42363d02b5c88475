"""A request is one value, and is refused when it is made."""

from pathlib import Path

import pytest

from mnist_models.errors import InvalidInput
from tasks.flow_run.request import MAX_SEED, TrainRequest, writable_file


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"suite": "quik"}, "suite 'quik' does not exist: did you mean quick"),
        ({"recipes": ("conv_nett",)}, "did you mean conv_net"),
        ({"recipes": ("conv_net", "conv_net")}, "'conv_net' is given twice"),
        ({"seed": -1}, "seed: -1 is not allowed; give a whole number from 0 to"),
        ({"seed": MAX_SEED + 1}, "seed: 2147483648 is not allowed"),
        ({"seeds": 0}, "seeds: 0 is not allowed; give a whole number of repeats from 1 to 100"),
        ({"seeds": 101}, "seeds: 101 is not allowed"),
        ({"seed": MAX_SEED, "seeds": 2}, "leaves no room for 2 repeats"),
        ({"data": "\udce9.npz"}, r"data: \\xe9.npz is no valid text"),
        ({"summary": "\udce9.json"}, r"summary: \\xe9.json is no valid text"),
        ({"summary": "no/where.json"}, "summary: no/where.json is not a file in an existing folder"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused(wrong, words):
    with pytest.raises(InvalidInput, match=words):
        TrainRequest(**wrong)


def test_it_says_what_is_trained_and_under_which_names():
    request = TrainRequest(recipes=["relu_dropout_diverged"], seed=4, seeds=2)
    assert request.title == "relu_dropout_diverged"
    assert TrainRequest().title == "quick"
    trainings = request.trainings("digest")
    assert [request.label(each) for each in trainings] == [
        "relu_dropout_naive (4)", "relu_dropout_naive (5)", "relu_dropout_diverged (4)", "relu_dropout_diverged (5)",
    ]  # fmt: skip
    assert {each.start and each.start.recipe.name for each in trainings} == {None, "relu_dropout_naive"}
    single = TrainRequest(recipes=["conv_net"])
    assert single.label(single.trainings("digest")[0]) == "conv_net"


def test_it_survives_its_parameters():
    request = TrainRequest(recipes=["conv_net"], seeds=3, force=True, promote=False)
    assert request.parameters()["recipes"] == ["conv_net"]
    assert TrainRequest(**request.parameters()) == request


def test_a_file_in_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InvalidInput, match="cannot be written to"):
        writable_file("summary", str(tmp_path / "x.json"))
    monkeypatch.undo()
    assert writable_file("summary", str(tmp_path / "x.json")) == Path(tmp_path / "x.json")
