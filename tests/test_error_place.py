"""What a traceback says in one line."""

from pathlib import Path

import pytest

from mnist_models.error_place import own_place, raised_line
from mnist_models.recipes import conv_net
from mnist_models.trainer_pool.errors import TrainerDied, TrainingFailed
from tasks.supervision.failures import HINT, first_line

START = "Traceback (most recent call last):\n"
DURING = "During handling of the above exception, another exception occurred:"
LIBRARY = '  File "/site-packages/keras/src/layers/layer.py", line 9, in build\n    raise ValueError(x)\n'


def frame(file, line):
    return f'  File "{file}", line {line}, in network\n    x = 1 +\n        ^^^^\n'


COPY = "/state/runs/deep-seed-0-0123/source/mnist_models.recipes.deep.py"
OURS = str(Path(conv_net.__file__))


@pytest.mark.parametrize(
    ("traceback", "line"),
    [
        (START + frame(COPY, 12) + "RuntimeError: no", "deep.py, line 12: RuntimeError: no"),
        (START + frame(COPY, 12) + frame(COPY, 7) + LIBRARY + "ValueError: no", "deep.py, line 7: ValueError: no"),
        (START + frame("/run/source/own.py", 3) + "KeyError: 'x'", "own.py, line 3: KeyError: 'x'"),
        (START + frame(OURS, 30) + LIBRARY + "ValueError: no", "conv_net.py, line 30: ValueError: no"),
        (START + LIBRARY + "ValueError: no", "ValueError: no"),
        (
            START + frame(COPY, 5) + LIBRARY + "ValueError: Exception in Dense.\n\nArguments:\n  • training=None",
            "deep.py, line 5: ValueError: Exception in Dense.",
        ),
        (
            START + frame(COPY, 4) + f"KeyError: 1\n\n{DURING}\n\n" + START + frame(COPY, 6) + "TypeError: no",
            "deep.py, line 6: TypeError: no",
        ),
        (
            START + frame(COPY, 4) + LIBRARY + "tf.errors.ResourceExhaustedError: {{function}} OOM\nmore",
            f"deep.py, line 4: tf.errors.ResourceExhaustedError: {{{{function}}}} OOM; {HINT}",
        ),
        ("what the trainer has written cannot be read back", "what the trainer has written cannot be read back"),
    ],
)
def test_a_failed_recipe_says_where_in_its_own_file(traceback, line):
    assert first_line(TrainingFailed(traceback)) == line


def test_what_is_no_traceback_is_its_first_line():
    assert first_line(TrainerDied("it was killed\nmore")) == "it was killed"
    assert first_line(ValueError()) == "ValueError"


def test_a_text_without_frames_has_no_place():
    assert own_place("", lambda _file: True) == ""
    assert raised_line("") == ""
    assert own_place(frame("/a/b.py", 2), lambda file: file.name == "c.py") == ""
