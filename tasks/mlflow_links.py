"""Addresses in MLflow's UI."""

from tasks.settings import Settings


def mlflow_address(settings: Settings) -> str:
    """Where MLflow's UI is, or will be after the command that `mnist train` prints."""
    if settings.served:
        return settings.resolved_tracking_uri
    return f"http://{settings.reachable_host}:{settings.port}"


def run_link(base: str, experiment_id: str, run_id: str) -> str:
    """The page of a run, in the UI at `base`; empty for a link within the UI."""
    # Without the last part the UI opens its view for language models, where all that we log is hidden.
    return f"{base}/#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning".removeprefix("/")
