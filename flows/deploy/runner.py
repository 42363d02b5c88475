"""`python -m flows.deploy.runner`: the process that serves the deployments and watches for new data and recipes."""

import asyncio
import json
import os
import shlex
import sys
import threading
from functools import partial
from typing import Any

import psutil

from mnist_models.atomic import write_atomically
from mnist_models.errors import InvalidInput
from mnist_models.processes.import_path import python_command
from tasks.config.library_defaults import set_defaults
from tasks.servers.health_check import wait_until_answers

SECONDS_TO_END = 8.0
SHARED = "--shared"  # the server is one that other projects may use too
ONCE = "--once"  # publish the deployments anew, and serve nothing


def main() -> None:
    """Serve until SIGTERM."""
    set_defaults()
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner
    from prefect.runner import runner as parts_of_runner

    from flows.deploy.publication import publish
    from tasks.config.settings import load_settings
    from tasks.operations.data_watcher import Watcher
    from tasks.operations.recipe_watcher import watch_recipes

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

    settings, shared = load_settings(), SHARED in sys.argv
    if ONCE in sys.argv:
        try:
            publish(settings, shared, RunnerDeployment.apply)
        except InvalidInput as error:
            sys.exit(str(error))
        return
    command = shlex.join(python_command("flows.deploy.flow_run"))
    parts_of_runner.EngineCommandStarter = partial(parts_of_runner.EngineCommandStarter, command=command)  # type: ignore[attr-defined,assignment]
    wait_until_answers(f"{os.environ['PREFECT_API_URL']}/health", 180)
    # The schedule stays active while nothing is served: a missed run is caught up.
    runner = _Runner(pause_on_shutdown=False)
    publish(settings, shared, runner.add_deployment)
    where = {"prefect_api": os.environ["PREFECT_API_URL"], "home": str(settings.home), "shared": shared}
    write_atomically(settings.running, json.dumps(where))
    end = threading.Event()
    again = [*python_command("flows.deploy.runner"), ONCE, *([SHARED] if shared else [])]
    for watch, arguments in ((Watcher(settings).run, (end,)), (watch_recipes, (again, end))):
        threading.Thread(target=watch, args=arguments, daemon=True).start()
    asyncio.run(runner.start())


if __name__ == "__main__":
    main()
