"""The state of a training's MLflow run, as it survives on the disk."""

from tasks.tracking.run_state import RunState, RunStateFile


def test_each_store_has_a_state_of_its_own(tmp_path):
    one, other = RunStateFile(tmp_path, "one"), RunStateFile(tmp_path, "other")
    assert one.read() == other.read() == RunState()
    one.write(RunState(run_id="1", replayed_to=500, described=True))
    other.write(RunState(run_id="2", closed=True))
    assert RunStateFile(tmp_path, "one").read() == RunState(run_id="1", replayed_to=500, described=True)
    assert RunStateFile(tmp_path, "other").read() == RunState(run_id="2", closed=True)


def test_what_is_damaged_or_unknown_is_taken_for_nothing(tmp_path):
    for content in ("", "[]", "{", '{"one": {"strange": 1}}'):
        (tmp_path / "tracking.json").write_text(content)
        assert RunStateFile(tmp_path, "one").read() == RunState()
