"""The load of this machine, as MLflow's own monitors measure it."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

logger = logging.getLogger(__name__)


class SystemMetrics:
    """Samples processor, memory, disk, network and GPUs; nothing depends on them, so that no failure is raised."""

    def __init__(self, store: str) -> None:
        self._store = store  # the monitor opens one, and would open one in the current folder

    @cached_property
    def _monitor(self) -> "SystemMetricsMonitor":
        logging.getLogger("mlflow.system_metrics").setLevel(logging.ERROR)  # it tells of GPUs that are not there
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        return SystemMetricsMonitor(run_id="", tracking_uri=self._store)  # never started: it only measures

    def sample(self) -> dict[str, float]:
        """Return metric name → value now."""
        try:
            self._monitor.collect_metrics()
            values = self._monitor.aggregate_metrics()
            for each in self._monitor.monitors:
                each.clear_metrics()
        except Exception as error:
            logger.warning("the machine's load is not recorded: %s", error)
            return {}
        return {f"system/{name}": value for name, value in values.items()}
