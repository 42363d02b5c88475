"""`python -m flows.deploy.runner`: the process that serves the deployments and watches for new data."""

import asyncio
import json
import os
import shlex
import threading
from functools import partial
from typing import Any

import psutil

from mnist_models.atomic import write_atomically
from mnist_models.processes.import_path import python_command
from tasks.config.library_defaults import set_defaults
from tasks.servers.health_check import wait_until_answers

SECONDS_TO_END = 8.0


def main() -> None:
    """Serve until SIGTERM."""
    set_defaults()
    from prefect.runner import Runner
    from prefect.runner import runner as parts_of_runner

    from flows.deploy.automations import ensure_automations
    from flows.deploy.deployments import deployments
    from tasks.config.settings import load_settings
    from tasks.operations.data_watcher import Watcher
    from tasks.supervision.trainer_slots import size_slots

    class _Runner(Runner):
        """A runner whose runs report their end; Prefect's own kills them first."""

        def handle_sigterm(self, *_signal: Any, **_more: Any) -> None:
            """Terminate the runs, wait until they have reported their end, then exit."""
            runs = psutil.Process().children(recursive=True)
            for run in runs:
                run.terminate()
            for run in psutil.wait_procs(runs, SECONDS_TO_END)[1]:
                run.kill()
            os._exit(0)  # Prefect's handler raises SystemExit amid its event loop, which then complains at length

    command = shlex.join(python_command("flows.deploy.flow_run"))
    parts_of_runner.EngineCommandStarter = partial(parts_of_runner.EngineCommandStarter, command=command)  # type: ignore[attr-defined,assignment]
    settings = load_settings()
    wait_until_answers(f"{os.environ['PREFECT_API_URL']}/health", 180)
    size_slots()
    ensure_automations()
    # The schedule stays active while nothing is served: a missed run is caught up.
    runner = _Runner(pause_on_shutdown=False)
    for deployment in deployments(settings):
        runner.add_deployment(deployment)
    write_atomically(settings.running, json.dumps({"prefect_api": os.environ["PREFECT_API_URL"]}))
    threading.Thread(target=Watcher(settings).run, args=(threading.Event(),), daemon=True).start()
    asyncio.run(runner.start())


if __name__ == "__main__":
    main()
