"""What the dashboard has changed stays: a deployment is published again without undoing it.

What was published last is remembered. Where a setting of ours differs from that, somebody has changed mlflow.yml or the
code since, and it counts; all else stays as the server has it. A pause stays in any case.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment

from mnist_models.atomic import write_atomically

Published = dict[str, Any]  # JSON-able, by field


class Memory:
    """What was published last to each server, in a file."""

    def __init__(self, file: Path, server: str) -> None:
        self._file, self._server = file, server

    def read(self, name: str) -> Any:
        """Return what is remembered under a name; None if nothing is."""
        return self._all().get(self._server, {}).get(name)

    def write(self, name: str, value: Any) -> None:
        """Remember something."""
        content = self._all()
        content.setdefault(self._server, {})[name] = value
        write_atomically(self._file, json.dumps(content, indent=2) + "\n")

    def _all(self) -> dict[str, dict[str, Any]]:
        with suppress(OSError, ValueError):
            content = json.loads(self._file.read_text())
            if isinstance(content, dict) and all(isinstance(each, dict) for each in content.values()):
                return content
        return {}


def wanted(deployment: RunnerDeployment) -> Published:
    """Return what we want of it, as far as the dashboard can change it."""
    options = deployment.concurrency_options
    return {
        "parameters": deployment.model_dump(mode="json", include={"parameters"})["parameters"] or {},
        "schedules": [_schedule(each) for each in deployment.schedules or []],
        "limit": deployment.concurrency_limit,
        "at_the_limit": options.collision_strategy.value if options else None,
    }


def keep_changes(deployment: RunnerDeployment, found: DeploymentResponse, before: Published | None) -> None:
    """Let a deployment have what was changed on the server since `before` was published; `found` is there now."""
    ours, limit = wanted(deployment), found.global_concurrency_limit
    options = found.concurrency_options
    theirs: dict[str, Any] = {
        "parameters": found.parameters or {},
        "schedules": [_schedule(each) for each in found.schedules],
        "limit": limit.limit if limit else None,
        "at_the_limit": options.collision_strategy.value if options else None,
    }
    stays = {field for field in ours if before is None or ours[field] == before.get(field)}
    if "parameters" in stays:
        deployment.parameters = theirs["parameters"]
    if "limit" in stays:
        deployment.concurrency_limit = theirs["limit"]
    if "at_the_limit" in stays and theirs["at_the_limit"] and deployment.concurrency_limit:
        strategy = ConcurrencyLimitStrategy(theirs["at_the_limit"])
        deployment.concurrency_options = ConcurrencyOptions(collision_strategy=strategy)
    paused = bool(found.schedules) and not any(each.active for each in found.schedules)
    if "schedules" in stays:
        deployment.schedules = [
            DeploymentScheduleCreate(
                schedule=each.schedule,
                active=each.active,
                max_scheduled_runs=each.max_scheduled_runs,
                parameters=each.parameters,
                slug=each.slug,
            )
            for each in found.schedules
        ]
    elif paused:
        for schedule in deployment.schedules or []:
            schedule.active = False
    deployment.paused = found.paused
    of_others = [tag for tag in found.tags if not tag.startswith("project:") and tag not in deployment.tags]
    deployment.tags = [*deployment.tags, *of_others]


def _schedule(each: Any) -> dict[str, Any]:
    """Return when it runs, and with what, without whether it is paused."""
    when: dict[str, Any] = each.schedule.model_dump(mode="json", exclude_none=True)
    return {"when": when, "parameters": each.parameters}
