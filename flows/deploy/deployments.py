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
from mnist_models.errors import InvalidInput, unknown_name
from mnist_models.recipe_catalog import all_suites
from tasks.config.settings import Settings
from tasks.flow_run.labels import project_tag
from tasks.operations.data_watcher import folder_resource
from tasks.servers.notifications import NEW_DATA

# After a downtime all missed runs are late at once. The first takes the only place and the others are cancelled, so
# that one run catches up. The same holds for a night whose predecessor is still at work.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


# Shown where the buttons are pressed.
BUTTONS = (
    " Cancel ends a run; Suspend ends it too, and Resume goes on at its trainings' last checkpoints. Retry reuses what"
    " is trained and goes on with the rest. Delete removes the record of a run, and does not end it."
)


def schedule(settings: Settings) -> Schedule | None:
    """Return when the nightly training runs, if ever; raise InvalidInput if the settings hold no cron expression."""
    if not settings.schedule:
        return None
    try:
        return Cron(settings.schedule, timezone=settings.timezone)
    except ValueError:
        raise InvalidInput(
            f"mlflow.yml: schedule: {settings.schedule!r} is not allowed: give minute, hour, day of the month, month"
            " and day of the week as cron does, such as 0 2 * * *."
        ) from None


def deployments(settings: Settings, shared: bool = False) -> list[RunnerDeployment]:
    """Return all deployments; raise InvalidInput if a setting of theirs is wrong.

    Args:
        settings: of the project that they belong to.
        shared: whether other projects use the same server, so that their names have to tell whose they are.
    """
    if settings.watch_suite not in all_suites():
        raise unknown_name("mlflow.yml: watch_suite: suite", settings.watch_suite, all_suites())
    project = settings.project_name
    tags = [project_tag(settings)] if project else []
    deployment = partial(RunnerDeployment.from_flow, entrypoint_type=EntrypointType.MODULE_PATH, tags=tags)

    def name(base: str) -> str:
        return f"{base}-{project}" if shared else base

    data = {"__prefect_kind": "jinja", "template": "{{ event.payload.path }}"}
    on_new_data = DeploymentEventTrigger(
        name=f"New data is trained on ({project})" if shared else "New data is trained on",
        expect={NEW_DATA},
        match={"prefect.resource.id": folder_resource(settings)} if project else {},
        parameters={"data": data},
    )
    return [
        deployment(
            train,
            name("nightly"),
            description=f"Every night: train what has changed, and promote the best if it deserves it.{BUTTONS}",
            schedule=schedule(settings),
            parameters={"suite": "all"},
            concurrency_limit=ONE_AT_A_TIME,
        ),
        deployment(train, name("on-demand"), description=f"Train a suite or some recipes, now.{BUTTONS}"),
        deployment(
            train,
            name("on-new-data"),
            description="Train on the data that an event names; `mnist up` sends one for what is put into"
            f" {settings.watched}.{BUTTONS}",
            parameters={"suite": settings.watch_suite},
            triggers=[on_new_data],
        ),
        deployment(predict_batch, name("batch"), description="Tell what the champion sees in a folder of images."),
    ]
