"""The context of one flow run: what its tasks share."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from filelock import FileLock
from prefect import runtime

from mnist_models.figures.renderer import Renderer
from mnist_models.redaction import redact_logs
from mnist_models.screen import Screen
from mnist_models.trainer_pool.backend import Backend
from mnist_models.trainer_pool.cancellation import Cancellation
from tasks.config.calm_log import calm_log
from tasks.config.settings import Settings, load_settings, with_model
from tasks.databases.start_checks import check_records
from tasks.flow_run.background_writer import BackgroundWriter
from tasks.flow_run.buttons import ended_from_the_dashboard
from tasks.flow_run.child_run import ChildRun
from tasks.flow_run.early_start import new_backend, started_early
from tasks.flow_run.parent_run import ParentRun
from tasks.progress.display import Display
from tasks.progress.output import lasting_output
from tasks.tracking.system_metrics import SystemMetrics
from tasks.tracking.tracker import Tracker


class FlowRunContext:
    """The only thing given to tasks that holds processes, clients and threads.

    It is not a dataclass, so that Prefect does not look into it for futures.
    """

    parent: ParentRun  # set once the data is known

    def __init__(self, settings: Settings, backend: Backend, cancellation: Cancellation, display: Display) -> None:
        self.settings, self.backend, self.cancellation, self.display = settings, backend, cancellation, display
        self.renderer = Renderer(settings.state / "logs")
        self.tracker = Tracker(settings)
        self.system_metrics = SystemMetrics(settings.resolved_tracking_uri)
        self.writer = BackgroundWriter(backend, cancellation)
        self.prefect = ThreadPoolExecutor(1)  # beside the writer, so that a server that stalls holds up its own only
        self.child_runs: dict[str, ChildRun] = {}  # by the folder of the training
        self.training_locks: dict[str, FileLock] = {}  # that it holds, by the folder of the training


@contextmanager
def open_flow_run(model: str = "") -> Iterator[FlowRunContext]:
    """Give all that a flow run needs, for as long as it runs; its processes and its writer end with it.

    `model` names the registered model, if it is not the one of the settings.
    """
    calm_log()
    redact_logs()
    for package in ("flows", "tasks", "mnist_models"):  # Prefect would pass on their warnings only
        logging.getLogger(package).setLevel(logging.INFO)
    settings = with_model(load_settings(), model)
    check_records(settings)
    started = started_early()
    cancellation = started.cancellation if started else Cancellation()
    backend = started.backend if started else new_backend(settings, cancellation)
    # A run of a deployment has Prefect's log on its screen already.
    display = (started and started.display) or Display(
        Screen(file=lasting_output(), quiet=runtime.deployment.id is not None)
    )
    with display.shown(), ended_from_the_dashboard(backend, cancellation):
        context = FlowRunContext(settings, backend, cancellation, display)
        try:
            yield context
        except BaseException:
            cancellation.cancel()
            raise
        finally:
            context.prefect.shutdown(wait=not cancellation.cancelled, cancel_futures=cancellation.cancelled)
            backend.close()
            context.writer.stop()
            context.renderer.close()
            for lock in context.training_locks.values():
                lock.release()
