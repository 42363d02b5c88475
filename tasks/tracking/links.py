"""Addresses in MLflow's UI."""

import json
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from mnist_models.metric_names import VALIDATION_ACCURACY
from tasks.config.settings import Settings
from tasks.tracking.experiment_page import COMPARISONS

# Without this the UI opens its view for language models, where all that we log is hidden.
OUR_VIEW = "workflowType=machine_learning"
MOST_CURVES = 10  # more are hard to tell apart


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
    """The validation accuracy of some runs in one chart, of the first ten; `base` as for `run_link`.

    The runs page would begin with charts of what is measured once, which are dots.
    """
    query = {  # the UI reads the runs only if they come first
        "runs": json.dumps([*run_ids[:MOST_CURVES]]),
        "experiments": json.dumps([experiment_id]),
        "metric": json.dumps(VALIDATION_ACCURACY),
        "plot_metric_keys": json.dumps([VALIDATION_ACCURACY]),
        "x_axis": "step",
    }
    # Quoted strictly, because a bracket would end the link in Markdown.
    return f"{base}/#/metric?{urlencode(query, quote_via=quote, safe='')}&{OUR_VIEW}".removeprefix("/")
