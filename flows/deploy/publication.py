"""Publishes the deployments: when they are served first, and as often as there are other recipes to offer."""

import os
from collections.abc import Callable
from contextlib import suppress

from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.events import Automation, DeploymentEventTrigger
from prefect.exceptions import ObjectNotFound

from flows.deploy.automations import ensure_automations
from flows.deploy.deployments import deployments
from flows.deploy.kept_changes import Memory, keep_changes, wanted
from tasks.config.settings import Settings
from tasks.supervision.trainer_slots import limit_name, size_slots


def publish(settings: Settings, shared: bool, apply: Callable[[RunnerDeployment], object]) -> None:
    """Publish all deployments and the trainer slots, and keep what the dashboard has changed of them.

    Args:
        settings: of the project.
        shared: whether other projects use the same server.
        apply: publishes one deployment.
    """
    memory = Memory(settings.state / "deployed.json", os.environ["PREFECT_API_URL"])
    memory.write(limit_name(), size_slots(memory.read(limit_name())))
    ensure_automations(settings, shared)
    with get_client(sync_client=True) as client:
        for deployment in deployments(settings, shared):
            name, ours = f"{deployment.flow_name}/{deployment.name}", wanted(deployment)
            with suppress(ObjectNotFound):
                found = client.read_deployment_by_name(name)
                keep_changes(deployment, found, memory.read(name))
                _keep_paused(deployment, client.read_resource_related_automations(f"prefect.deployment.{found.id}"))
            apply(deployment)
            memory.write(name, ours)


def _keep_paused(deployment: RunnerDeployment, found: list[Automation]) -> None:
    paused = {each.name for each in found if not each.enabled}
    for trigger in deployment.triggers:
        if isinstance(trigger, DeploymentEventTrigger):
            trigger.enabled = trigger.name not in paused
