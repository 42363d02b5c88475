"""The one way in which files are written: whole or not at all."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_models
from mnist_models import atomic
from mnist_models.atomic import atomic_path, remove_leftovers, write_atomically

ROOT = Path(mnist_models.__file__).parent.parent


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "state.json"
    write_atomically(path, "old")

    def write_half(temporary):
        temporary.write_text("ne")
        raise OSError("disk is full")

    with pytest.raises(OSError, match="disk is full"), atomic_path(path) as temporary:
        write_half(temporary)
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
    assert path.read_text() == "old"


STEPS = ("write", "flush content", "chmod", "replace", "flush folder")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_the_old_or_the_new(tmp_path, step):
    """The process really ends there, without any clean-up."""
    path = tmp_path / "state.json"
    write_atomically(path, "old")
    code = f"""
import os
from pathlib import Path
from mnist_models import atomic
flush, path, kill = atomic.flush, Path({str(path)!r}), lambda *_: os._exit(9)
match {step!r}:
    case "chmod": os.chmod = kill
    case "replace": os.replace = kill
    case "flush content": atomic.flush = lambda what: kill() if what.is_file() else flush(what)
    case "flush folder": atomic.flush = lambda what: kill() if what.is_dir() else flush(what)
with atomic.atomic_path(path) as temporary:
    temporary.write_text("new" if {step!r} != "write" else "ne")
    if {step!r} == "write":
        kill()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=60).returncode == 9
    assert path.read_text() == ("new" if step == "flush folder" else "old")
    remove_leftovers(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_leftovers_are_removed_wherever_they_lie_and_nothing_else(tmp_path):
    write_atomically(tmp_path / "kept" / "good.keras", "x")
    (tmp_path / "kept" / ".good.abc.tmp.keras").write_text("half")
    (tmp_path / ".notes").write_text("x")
    remove_leftovers(tmp_path)
    assert sorted(file.name for file in tmp_path.rglob("*")) == [".notes", "good.keras", "kept"]


def test_content_and_new_folders_are_flushed_in_order(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(atomic, "flush", lambda path: flushed.append(path.relative_to(tmp_path)))
    write_atomically(tmp_path / "a" / "b" / "state.json", "x")
    assert [str(path) for path in flushed[:2]] == [".", "a"]
    assert flushed[2].name.startswith(".state.")
    assert str(flushed[3]) == "a/b"


WRITES = {"write_text", "write_bytes", "savez", "savez_compressed", "save", "dump", "copyfile", "copy", "copy2", "move"}
MAY_WRITE = {
    "mnist_models/training_run/metrics_log.py",  # appends, and flushes before a checkpoint relies on it
    "mnist_models/processes/worker.py",  # appends what a process says to its log
    "mnist_models/data/sets/objects.py",  # thousands of contents, flushed together before a version names them
    "tasks/supervision/kept_rows.py",  # appends, and cuts off what a kill has left of a line
    # Into temporary folders that nobody else reads:
    "mnist_models/data/sets/statements.py",
    "mnist_models/data/unpack.py",
    "mnist_models/data/official/package_index.py",
    "mnist_models/trainer/exports/convert.py",
    "tasks/serving/model_code.py",
    "tasks/tracking/model_format.py",
    "tasks/supervision/model_inference.py",
    "mnist_models/images/prepare_file.py",
}


def writes(node):
    """Whether a call writes to a file other than one that `atomic_path` has given."""
    if not isinstance(node, ast.Call):
        return False
    target = any(isinstance(part, ast.Name) and part.id in ("temporary", "buffer") for part in ast.walk(node))
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "open":
        modes = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        modes += [part.value.value for part in node.keywords if part.arg == "mode"]
        return not target and any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)
    return name in WRITES and not target


def test_everything_else_writes_through_it():
    found = set()
    for package in ("flows", "tasks", "mnist_models"):
        for file in (ROOT / package).rglob("*.py"):
            if any(writes(node) for node in ast.walk(ast.parse(file.read_text()))):
                found.add(str(file.relative_to(ROOT)))
    # What is called `save` there is the checkpoint's, which writes through it.
    assert found - {"mnist_models/trainer/training.py"} == MAY_WRITE
