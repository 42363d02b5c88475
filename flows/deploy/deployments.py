"""What can be run from Prefect's dashboard: each deployment with its form, its schedule or its trigger.

`mnist up` serves them; prefect.yaml, for a work pool, is written from them.
"""

from functools import partial

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.predict import predict_batch
from flows.train import train
from mnist_models.errors import InvalidInput
from tasks.config.settings import Settings
from tasks.servers.notifications import NEW_DATA

# After a downtime all missed runs are late at once. The first takes the only place and the others are cancelled, so
# that one run catches up. The same holds for a night whose predecessor is still at work.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def schedule(settings: Settings) -> Schedule:
    """Return when the nightly training runs; raise InvalidInput if the settings hold no cron expression."""
    try:
        return Cron(settings.schedule, timezone=settings.timezone)
    except ValueError:
        raise InvalidInput(
            f"mlflow.yml: schedule: {settings.schedule!r} is not allowed: give minute, hour, day of the month, month"
            " and day of the week as cron does, such as 0 2 * * *."
        ) from None


def deployments(settings: Settings) -> list[RunnerDeployment]:
    """Return all deployments; raise InvalidInput if the settings hold no cron expression."""
    deployment = partial(RunnerDeployment.from_flow, entrypoint_type=EntrypointType.MODULE_PATH)
    on_new_data = DeploymentEventTrigger(
        name="New data is trained on",
        expect={NEW_DATA},
        parameters={"suite": "all", "data": {"__prefect_kind": "jinja", "template": "{{ event.payload.path }}"}},
    )
    return [
        deployment(
            train,
            "nightly",
            description="Every night: train what has changed, and promote the best if it deserves it.",
            schedule=schedule(settings),
            parameters={"suite": "all"},
            concurrency_limit=ONE_AT_A_TIME,
        ),
        deployment(train, "on-demand", description="Train a suite or some recipes, now."),
        deployment(
            train,
            "on-new-data",
            description="Train on the data that an event names; `mnist up` sends one for what is put into"
            f" {settings.watched}.",
            parameters={"suite": "all"},
            triggers=[on_new_data],
        ),
        deployment(predict_batch, "batch", description="Tell what the champion sees in a folder of images."),
    ]
