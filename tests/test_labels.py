"""What a flow run is called: as the user says, or else by what it does."""

from types import SimpleNamespace

import pytest

from tasks.flow_run import labels

MADE_UP = ["furry-bullfrog", "nu34-matalas", "alpha-aquarii", "omega3-arietis-matalas", "", None]


@pytest.mark.parametrize("given", [*MADE_UP, "For Friday", "before the move", "retry-after-fix", "nightly"])
def test_only_a_name_that_somebody_has_given_stays(given, monkeypatch):
    monkeypatch.setattr(labels, "runtime", SimpleNamespace(flow_run=SimpleNamespace(name=given)))
    assert labels.run_name("train quick") == ("train quick" if given in MADE_UP else given)
