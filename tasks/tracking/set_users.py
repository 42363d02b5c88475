"""Which runs in MLflow have used the versions of a named data set."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.config.settings import Settings
from tasks.databases.mlflow_store import mlflow_store
from tasks.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mlflow.entities import Run

PAGE = 1000


@dataclass
class SetUser:
    """A comparison that used a version, and the trainings in it."""

    run_id: str
    name: str
    experiment: str
    trainings: list[str] = field(default_factory=list)  # the runs' ids


def users_of(settings: Settings, name: str) -> dict[str, list[SetUser]]:
    """Return the comparisons by version of a data set, oldest first, in all experiments; a store is not made for it.

    Raise what `is_mlflow_error` knows if the store does not answer.
    """
    store = mlflow_store(settings)
    if store is not None and not store.path.exists():
        return {}
    tracker = Tracker(settings)
    experiments = {each.experiment_id: each.name for each in tracker.client.search_experiments()}
    found: list[Run] = []
    token: str | None = None
    while page := tracker.client.search_runs(
        [*experiments], f"tags.data_set = '{name}'", max_results=PAGE, order_by=["start_time ASC"], page_token=token
    ):
        found += page
        token = page.token
        if not token:
            break
    users: dict[str, list[SetUser]] = {}
    by_id: dict[str, SetUser] = {}
    for run in found:
        if "mlflow.parentRunId" not in run.data.tags:
            user = SetUser(run.info.run_id, run.info.run_name or "", experiments[run.info.experiment_id])
            by_id[user.run_id] = user
            users.setdefault(run.data.tags["data_version"], []).append(user)
    for run in found:
        if parent := by_id.get(run.data.tags.get("mlflow.parentRunId", "")):
            parent.trainings.append(run.info.run_id)
    return users
