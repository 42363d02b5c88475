"""`python -m flows.deploy.prefect_yaml > prefect.yaml`: the deployments of `mnist up`, for a work pool."""

from typing import Any

import yaml
from prefect.deployments.runner import RunnerDeployment

from flows.deploy.deployments import deployments
from tasks.config.library_defaults import DEFAULTS
from tasks.config.settings import Settings

HEADER = """\
# The deployments of `mnist up` for a work pool, whose workers can be on other machines where this project is installed:
#   prefect work-pool create mnist --type process
#   prefect deploy --all
#   prefect worker start --pool mnist
# Written by `make deployments` from flows/deploy/deployments.py.
"""
POOL = "mnist"
WORKER_VARIABLES = ("PREFECT_LOGGING_EXTRA_LOGGERS", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "MLFLOW_DISABLE_TELEMETRY")


def render() -> str:
    """Return the file's content; the default settings count, not mlflow.yml or the environment."""
    content = {
        "name": "mnist-pipeline",
        "pull": [],  # flows are imported from the installed packages
        "deployments": [_deployment(each) for each in deployments(Settings.model_construct())],
    }
    return HEADER + yaml.safe_dump(content, sort_keys=False, width=120, allow_unicode=True)


def _deployment(deployment: RunnerDeployment) -> dict[str, Any]:
    """Return an entry as `prefect deploy` reads it; only what is set, so that Prefect's defaults hold."""
    fields = {"name", "entrypoint", "description", "parameters", "schedules", "triggers"}
    described = deployment.model_dump(mode="json", exclude_defaults=True, include=fields)
    for schedule in described.get("schedules", []):
        schedule |= schedule.pop("schedule")
    for trigger, original in zip(described.get("triggers", []), deployment.triggers, strict=False):
        trigger["type"] = original.type
    if deployment.concurrency_limit and deployment.concurrency_options:
        options = deployment.concurrency_options.model_dump(mode="json", exclude_none=True)
        described["concurrency_limit"] = {"limit": deployment.concurrency_limit, **options}
    variables = {name: DEFAULTS[name] for name in WORKER_VARIABLES}
    described["work_pool"] = {"name": POOL, "job_variables": {"env": variables}}
    return {key: value for key, value in described.items() if value}


if __name__ == "__main__":
    print(render(), end="")
