"""A checkpoint that a kill or a disk has damaged: the one before is used, whatever byte is missing."""

import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_models.trainer.checkpoint import Checkpoint, DamagedCheckpoint, Progress, load, load_latest, previous, save


def state(step, size=3):
    weights = [np.full((size, 2), step, np.float32), np.arange(step, dtype=np.int64)]
    return Checkpoint(Progress(step=step, nan_variables=["output/bias"]), weights, [np.float32(step)], [])


def fits(checkpoint):
    return checkpoint.model[0].shape == (3, 2)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Of the second of two checkpoints, and of the first."""
    path = tmp_path_factory.mktemp("checkpoints") / "checkpoint.npz"
    for step in (1, 2):
        save(state(step), path)
    return path.read_bytes(), previous(path).read_bytes()


@pytest.fixture
def path(tmp_path, content):
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content[0])
    previous(path).write_bytes(content[1])
    return path


def same(one, other):
    assert one.progress == other.progress
    for part in ("model", "optimizer", "best"):
        for a, b in zip(getattr(one, part), getattr(other, part), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_checkpoint_comes_back_as_it_was(path):
    found, damaged = load_latest(path, fits)
    same(found, state(2))
    assert damaged == []


EACH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.fault(15)
@EACH
@given(st.floats(0, 1, exclude_max=True))
def test_cut_at_any_byte_the_one_before_is_used_with_a_warning(path, content, share):
    path.write_bytes(content[0][: int(share * len(content[0]))])
    previous(path).write_bytes(content[1])
    found, damaged = load_latest(path, fits)
    same(found, state(1))
    assert len(damaged) == 1
    assert damaged[0].startswith("checkpoint.npz is damaged (")
    assert "\n" not in damaged[0]
    # The next one does not push the good one out by the damaged one.
    save(state(3), path)
    same(load(previous(path)), state(1))
    same(load(path), state(3))


@pytest.mark.fault(15)
@EACH
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5))
def test_altered_at_any_byte_it_is_whole_or_not_used(path, content, changes):
    altered = bytearray(content[0])
    for share, value in changes:
        altered[int(share * len(altered))] = value
    path.write_bytes(altered)
    previous(path).write_bytes(content[1])
    found, damaged = load_latest(path, fits)
    same(found, state(1 if damaged else 2))


@pytest.mark.fault(15)
@pytest.mark.parametrize("lost", ["optimizer/0000.npy", "model/0001.npy", "state.npy"])
def test_one_that_has_lost_an_array_is_not_used(path, lost):
    """The directory of the archive, unlike what it lists, has no checksum."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name != lost}
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in kept.items():
            archive.writestr(name, member)
    found, damaged = load_latest(path, lambda _: True)
    same(found, state(1))
    assert len(damaged) == 1


@pytest.mark.fault(15)
def test_one_of_another_shape_is_stale_and_not_used(path):
    save(state(9, size=5), path)
    save(state(10, size=5), path)
    previous(path).write_bytes(path.read_bytes())
    found, damaged = load_latest(path, fits)
    assert found is None
    assert [text.split(" belongs ")[0] for text in damaged] == ["checkpoint.npz", "checkpoint.previous.npz"]


def test_killed_between_two_names_the_one_before_is_used(path):
    path.unlink()  # it has become the previous one, and the new one has no name yet
    found, damaged = load_latest(path, fits)
    same(found, state(1))
    assert damaged == []


def test_without_any_there_is_nothing(tmp_path):
    assert load_latest(tmp_path / "checkpoint.npz", fits) == (None, [])
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "checkpoint.npz")


def test_nothing_in_it_is_unpickled(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    path = tmp_path / "checkpoint.npz"
    np.savez(path, **{"state": "{}", "model/0000": np.array([Evil()], object)})
    with pytest.raises(DamagedCheckpoint, match="pickle"):
        load(path)
