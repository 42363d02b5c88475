"""What Prefect's server does by itself: a flow run whose process has died becomes Crashed."""

from datetime import timedelta

from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, Posture, ResourceSpecification
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType

from tasks.config.settings import Settings
from tasks.flow_run.labels import project_tag

NAME = "Dead runs become Crashed"
SILENCE = timedelta(seconds=90)  # three missed heartbeats
# After these no heartbeat is due; a run that is resumed sends some again.
ENDS = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "Suspended", "Paused")}
HEARTBEAT = "prefect.flow-run.heartbeat"


def ensure_automations(settings: Settings, shared: bool) -> None:
    """Create the automation, or update it; one that was paused stays so.

    On a server that others use too it looks after this project's runs only: theirs may send no heartbeats.
    """
    name = f"{NAME} ({settings.project_name})" if shared else NAME
    tag: dict[str, str | list[str]] = {"prefect.resource.id": f"prefect.tag.{project_tag(settings)}"} if shared else {}
    dead = "its process must have died. The next run goes on at its trainings' last checkpoints."
    message = f"No sign of life for {SILENCE.total_seconds():.0f} s: {dead}"
    automation = AutomationCore(
        name=name,
        description=f"A flow run that has given no sign of life for {SILENCE.total_seconds():.0f} s is dead.",
        trigger=EventTrigger(
            after={HEARTBEAT},
            expect={HEARTBEAT, *ENDS},
            match_related=ResourceSpecification(tag),
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", force=False, message=message)],
    )
    with get_client(sync_client=True) as client:
        if found := client.read_automations_by_name(name):
            automation.enabled = found[0].enabled
            client.update_automation(found[0].id, automation)
        else:
            client.create_automation(automation)
