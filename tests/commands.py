"""The command `mnist`, in a process of its own or in this one."""

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

from flows.cli.app import main

MNIST = Path(sys.executable).with_name("mnist")


def mnist(*arguments, **environment):
    """The command in a process of its own."""
    return subprocess.run(
        [MNIST, *arguments], capture_output=True, text=True, timeout=120, env=os.environ | environment
    )


def mnist_here(*arguments):
    """The same in this process, which has imported already what takes the command a second or two."""
    before, out, err = dict(os.environ), StringIO(), StringIO()
    with mock.patch.object(sys, "argv", ["mnist", *arguments]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            return subprocess.CompletedProcess(arguments, end.code, out.getvalue(), err.getvalue())
        finally:
            os.environ.clear()
            os.environ.update(before)
    raise AssertionError("main() ends with SystemExit")
