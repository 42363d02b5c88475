"""Addresses in MLflow's UI."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from mnist_models.metric_names import TEST_ACCURACY
from tasks.config.settings import Settings
from tasks.tracking.experiment_page import COMPARISONS

# Without this the UI opens its view for language models, where all that we log is hidden.
OUR_VIEW = "workflowType=machine_learning"
MOST_CURVES = 10  # the UI draws no more at first


def mlflow_address(settings: Settings) -> str:
    """Where MLflow's UI is, or will be after the command that `mnist train` prints."""
    if settings.served:
        return settings.resolved_tracking_uri
    return f"http://{settings.reachable_host}:{settings.port}"


def experiment_link(base: str, experiment_id: str) -> str:
    """The table of all runs, in the UI at `base`: the newest comparison first, with the columns of our view."""
    return f"{base}/#/experiments/{experiment_id}/runs?{OUR_VIEW}&viewStateShareKey={COMPARISONS}"


def run_link(base: str, experiment_id: str, run_id: str) -> str:
    """The page of a run, in the UI at `base`; empty for a link within the UI."""
    return f"{base}/#/experiments/{experiment_id}/runs/{run_id}?{OUR_VIEW}".removeprefix("/")


def curves_link(base: str, experiment_id: str, run_ids: Sequence[str]) -> str:
    """The metrics of some runs in the same charts, the first ten; `base` as for `run_link`."""
    chosen = ",".join(f"'{run_id}'" for run_id in run_ids[:MOST_CURVES])
    # Sorted by anything but time, the table does not hide trainings under their comparison.
    query = {"searchFilter": f"attributes.run_id IN ({chosen})", "orderByKey": f"metrics.`{TEST_ACCURACY}`"}
    # Quoted strictly, because a bracket would end the link in Markdown.
    text = urlencode(query | {"orderByAsc": "false"}, quote_via=quote, safe="")
    return f"{base}/#/experiments/{experiment_id}/runs?{OUR_VIEW}&compareRunsMode=CHART&{text}".removeprefix("/")
