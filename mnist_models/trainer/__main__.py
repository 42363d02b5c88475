"""`python -m mnist_models.trainer`: jobs as JSON lines on standard input, one answer a line.

An answer is {"ok": true} or {"ok": false, "error": the traceback}. The end
of standard input, which also comes when the parent dies, ends the process at once: what it was doing is
in the last checkpoint.
"""

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import TextIO


def main() -> None:
    """Serve jobs until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and a shutdown reach the whole group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    # Answers go to the real standard output; whatever libraries print there goes to the log instead.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    jobs: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    # Keras would import it, for wrappers that nothing here uses, and that takes a second or two.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    import mnist_models.trainer.training  # noqa: F401  the 6 to 11 s import happens while the parent starts

    while True:
        _answer(jobs.get(), answers)


def _listen(jobs: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def _answer(line: str, answers: TextIO) -> None:
    from mnist_models.trainer.job import PredictJob, from_line
    from mnist_models.trainer.prediction import predict
    from mnist_models.trainer.training import train

    try:
        job = from_line(line)
        if isinstance(job, PredictJob):
            predict(job)
        else:
            train(job)
    except Exception:
        answer = {"ok": False, "error": traceback.format_exc()}
    else:
        answer = {"ok": True}
    answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
