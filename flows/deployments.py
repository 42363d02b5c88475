"""What can be run from Prefect's dashboard: each deployment with its parameters and its schedule."""

from functools import partial

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.predict import predict
from flows.train import train
from mnist_models.errors import InvalidInput
from tasks.settings import Settings

# After a downtime all runs that were missed are late at once, and the first takes the only place: the others are
# cancelled, so that one run catches up. The same holds for a night whose predecessor is still at work.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def deployments(settings: Settings) -> list[RunnerDeployment]:
    """All deployments.

    Raises:
        InvalidInput: the schedule of the settings is not one.
    """
    deployment = partial(RunnerDeployment.from_flow, entrypoint_type=EntrypointType.MODULE_PATH)
    try:
        nightly = Cron(settings.schedule, timezone=settings.timezone)
    except ValueError as error:
        raise InvalidInput(f"mlflow.yml: schedule: {settings.schedule!r} is not allowed: {error}.") from None
    return [
        deployment(
            train,
            "nightly",
            description="Every night: train what has changed, and promote the best if it deserves it.",
            schedule=nightly,
            parameters={"suite": "all"},
            concurrency_limit=ONE_AT_A_TIME,
        ),
        deployment(train, "on-demand", description="Train a suite or some recipes, now."),
        deployment(predict, "on-demand", description="Tell what the champion sees in images."),
    ]
