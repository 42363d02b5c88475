"""The inside of a worker process: jobs as JSON lines on standard input, one answer a line.

An answer is {"ok": true}, {"ok": false, "error": the traceback} or, for input that is refused, {"ok": false,
"refused": a sentence}. The end of standard input, which also comes when the parent dies, ends the process at once.
"""

import gc
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable

from mnist_models.errors import InvalidInput


def serve(prepare: Callable[[], Callable[[str], None]]) -> None:
    """Call `prepare`, which does the slow imports and gives what does a job, then do jobs until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and a shutdown reach the whole group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    # Answers go to the real standard output; whatever libraries print there goes to the log instead.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)  # a line that is printed outlives a kill
    jobs: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    do = prepare()
    gc.freeze()  # what imports have made is never garbage, and there is so much of it that each look takes long
    while True:
        line = jobs.get()
        try:
            do(line)
        except InvalidInput as error:
            answer = {"ok": False, "refused": str(error)}
        except Exception:
            answer = {"ok": False, "error": traceback.format_exc()}
        else:
            answer = {"ok": True}
        answers.write(json.dumps(answer) + "\n")


def _listen(jobs: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)
