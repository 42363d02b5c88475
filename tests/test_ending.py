"""How commands end when something goes wrong: one sentence, an exit status, and no traceback on the screen."""

import asyncio
import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pydantic
import pydantic_core
import pytest
from commands import mnist_here

from mnist_models.errors import InvalidInput, Unavailable

ROOT = Path(__file__).parent.parent

# One place in each command, some before and some after its settings are known.
PLACES = {
    "train": ("flows.cli.launch.start_temporary_server", ["train", "--recipes", "softmax_regression"]),
    "dry run": ("flows.cli.dry_run._data_at_hand", ["train", "--dry-run", "--recipes", "softmax_regression"]),
    "predict": ("flows.cli.launch.load_settings", ["predict", "x.png"]),
    "status": ("flows.cli.launch.check_configured_server", ["status"]),
    "sync": ("flows.cli.sync.unsent_requests", ["sync"]),
    "up": ("flows.cli.up.load_settings", ["up"]),
    "doctor": ("flows.cli.doctor.findings", ["doctor", "--json"]),
    "recipes": ("flows.cli.recipes.all_recipes", ["recipes"]),
    "settings": ("tasks.config.settings._read", ["sync"]),
}

ERRORS = {
    "a bug": (KeyError("speed"), "'speed' (KeyError)"),
    "several lines": (RuntimeError("no such table: runs\n[SQL: SELECT 1]"), "no such table: runs (RuntimeError)"),
    "no words": (RuntimeError(), "no reason is given (RuntimeError)"),
    "no right": (PermissionError(errno.EACCES, "Permission denied", "/x/state"), "/x/state: permission denied; give"),
    "a folder that can only be read": (
        OSError(errno.EROFS, "Read-only file system", "/x"),
        "/x: read-only file system",
    ),
    "a file where a folder should be": (
        NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x"),
        "/x: not a directory; move away",
    ),
    "too many files": (OSError(errno.EMFILE, "Too many open files"), "`ulimit -n`"),
    "a pipe to a child": (BrokenPipeError(errno.EPIPE, "Broken pipe"), "broken pipe"),
    "memory": (MemoryError(), "there is not enough memory"),
    "an incomplete installation": (ModuleNotFoundError("No module named 'rich'"), "the installation is not complete"),
    "a store": (sqlite3.OperationalError("database is locked"), "database is locked (OperationalError)"),
    "a group": (ExceptionGroup("several", [ValueError("odd")]), "odd (ValueError)"),
    "what is no Exception": (asyncio.CancelledError("given up"), "given up (CancelledError)"),
    "a password": (RuntimeError("http://user:secret@host/x"), "http://***@host/x"),
    "what moves the cursor": (RuntimeError("a\x1b[2Jb"), r"a\x1b[2Jb"),
}


def ended(place, error, **environment):
    """The command of a place in which an error is raised, with the current folder as its project."""
    target, arguments = PLACES[place]
    with mock.patch(target, side_effect=error), mock.patch.dict(os.environ, environment):
        return mnist_here(*arguments)


def log_named_in(text):
    """The file at the end of the sentence."""
    return Path(text.rpartition("its traceback is in ")[2].strip())


@pytest.mark.fault(6)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_raised_wherever_is_one_sentence_that_names_its_log(home, tmp_path, place):
    with mock.patch("tempfile.tempdir", str(tmp_path)):
        result = ended(place, RuntimeError("it broke"))
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1), result.stderr
    assert result.stderr.startswith("mnist: it broke (RuntimeError); its traceback is in ")
    assert "Traceback" not in result.stdout
    log = log_named_in(result.stderr)
    assert log.parent == home / "state" / "logs" or place == "settings"
    assert log.read_text().startswith("Traceback")
    assert log.read_text().rstrip().endswith("RuntimeError: it broke")


@pytest.mark.parametrize("kind", ERRORS)
def test_the_cause_is_told_in_words(home, kind):
    error, words = ERRORS[kind]
    result = ended("sync", error)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1), result.stderr
    assert words in result.stderr
    assert "secret" not in result.stderr + log_named_in(result.stderr).read_text()
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_is_told_wherever_it_comes(home, place):
    result = ended(place, KeyboardInterrupt())
    assert (result.returncode, len(result.stderr.splitlines())) == (130, 1)
    assert "interrupted" in result.stderr
    assert [path.name for path in (home / "state").glob("logs/mnist-*")] == []


def test_what_libraries_make_of_ctrl_c_is_ctrl_c(home):
    error = ImportError("cannot import name 'x'")
    error.__context__ = KeyboardInterrupt()
    assert ended("sync", error).returncode == 130

    class Interrupted(pydantic.BaseModel):
        @pydantic.model_serializer
        def interrupt(self):
            raise KeyboardInterrupt

    with pytest.raises(pydantic_core.PydanticSerializationError) as caught:
        Interrupted().model_dump_json()
    assert ended("sync", caught.value).returncode == 130


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidInput("seed: 1.5 is not allowed."), 2), (Unavailable("no server answers."), 1)],
    ids=["the user's", "out of reach"],
)
def test_what_is_known_needs_no_log(home, error, status):
    result = ended("sync", error)
    assert (result.returncode, result.stderr) == (status, f"mnist: {error}\n")
    assert not (home / "state").exists()


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device", "/x"), sqlite3.OperationalError("database or disk is full")],
    ids=["file", "store"],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_called_that_however_deep_it_is(home, error, wrapped):
    raised = RuntimeError("the store does not answer") if wrapped else error
    raised.__cause__ = error if wrapped else None
    result = ended("sync", raised)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "is full: make room" in result.stderr


def test_the_log_goes_elsewhere_if_the_state_cannot_be_written(home, tmp_path_factory):
    (home / "state").write_text("a file")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with mock.patch("tempfile.tempdir", str(elsewhere)):
        result = ended("doctor", RuntimeError("it broke"))
    assert log_named_in(result.stderr).is_relative_to(elsewhere)
    with mock.patch("tempfile.tempdir", str(elsewhere / "nowhere")):
        result = ended("doctor", RuntimeError("it broke"))
    assert result.stderr == "mnist: it broke (RuntimeError); and its traceback could not be written anywhere\n"


def process(code, *arguments, shell="", **environment):
    """`mnist` as a process of its own, in which code runs first; `shell` is what is written behind the command."""
    program = f"import sys; sys.argv[0] = 'mnist'\n{code}\nfrom flows.__main__ import main\nmain()"
    command = ["bash", "-c", f'"$0" "$@" {shell}', sys.executable, "-c", program, *arguments]
    # What is written is kept back as for most users, and fails when it is flushed.
    environment = os.environ | {"PYTHONUNBUFFERED": "", "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


CTRL_C = """
import importlib.abc, os, signal
class CtrlC(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
"""
IMPORTED = ("flows.cli.process", "flows.cli.ending", "flows.cli.app", "typer", "rich.console", "flows.cli.tables")


@pytest.mark.parametrize("name", IMPORTED)
def test_ctrl_c_while_imports_run_is_one_line(home, name):
    result = process(CTRL_C.format(name=name), "recipes")
    assert (result.returncode, len(result.stderr.splitlines())) == (130, 1), result.stderr
    assert result.stderr.startswith("mnist: interrupted")
    assert result.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "status", "words"),
    [
        ("| true", 0, ""),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 1, "the disk is full"),
    ],
)
def test_an_output_that_takes_nothing_is_no_reason_for_a_traceback(home, shell, status, words):
    for arguments in (["recipes"], ["recipes", "--json"], ["--help"], ["--version"]):
        result = process("", *arguments, shell=shell)
        assert result.returncode == status
        assert words in result.stderr
        assert "Error" not in result.stderr
        assert len(result.stderr.splitlines()) <= 1


def test_a_pipe_that_nobody_reads_ends_a_command_in_silence(home):
    """The reader is certainly gone before the first word is written."""
    code = "import os; there, here = os.pipe(); os.dup2(here, 1); os.close(here); os.close(there)"
    for arguments in (["recipes"], ["recipes", "--json"], ["--help"]):
        result = process(code, *arguments)
        assert (result.returncode, result.stderr) == (1, ""), arguments


def test_a_file_never_takes_the_number_of_a_closed_stream(home):
    code = "import os; os.close(1)\nimport atexit; atexit.register(lambda: os.write(2, str(os.open('x', 66)).encode()))"
    assert int(process(code, "--version").stderr) > 2


LATE = {
    "a thread": "thread = threading.Thread(target=[].pop); thread.start(); thread.join()",
    "a thread at the end": "threading.Thread(target=lambda: threading.main_thread().join() or [].pop()).start()",
    "a function at the end": "atexit.register([].pop)",
    "Ctrl-C at the end": "atexit.register(os.kill, os.getpid(), signal.SIGINT)",
    "a log that cannot be written": "logging.basicConfig(stream=open('/dev/full', 'w')); logging.error('x' * 99_999)",
}


@pytest.mark.parametrize("what", LATE)
def test_nothing_that_libraries_leave_behind_is_a_traceback_on_the_screen(home, what):
    code = "import atexit, logging, os, signal, threading\nimport flows.cli.app\n"
    result = process(f"{code}def run():\n    {LATE[what]}\n    return 0\nflows.cli.app.run = run")
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == (1 if what == "a thread" else 0), result.stderr
    assert result.returncode == (130 if what == "Ctrl-C at the end" else 0)


def test_a_character_that_the_terminal_does_not_have_is_replaced(home):
    result = process("", "recipes", PYTHONIOENCODING="ascii", COLUMNS="200")
    assert (result.returncode, result.stderr) == (0, "")
    assert "softmax_regression" in result.stdout


def test_as_a_module_it_imports_nothing_from_the_current_folder(home):
    for name in ("select", "tempfile", "typer", "tasks"):
        (home / f"{name}.py").write_text("raise SystemExit('imported')")
    command = [sys.executable, "-m", "flows", "--version"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONSAFEPATH": ""}
    )
    assert (result.returncode, result.stderr) == (0, "")
