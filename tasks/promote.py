"""Whether the candidate becomes the champion; the decision is recorded wherever it is looked for."""

from functools import partial

from prefect.artifacts import create_markdown_artifact

from mnist_models.data.dataset import Dataset
from mnist_models.evaluation.promotion import Decision
from mnist_models.shown_text import in_markdown
from tasks.evaluate import Evaluated
from tasks.flow_run.context import FlowRunContext
from tasks.judgement import Wishes, judge_candidate, serves_now
from tasks.register import Registered, describe_training, make_version, promotion_lock
from tasks.registry.model_page import describe_version, numbers_table, outcome, update_model_description
from tasks.registry.placement import Placement, remember
from tasks.servers.notifications import PROMOTED, notify
from tasks.tracking.retry import patient_task


@patient_task("promote")
def promote_candidate(
    context: FlowRunContext, dataset: Dataset, candidate: Evaluated | None, registered: Registered, wishes: Wishes
) -> Decision:
    """Decide whether the candidate becomes the champion, make it so, and record the decision either way."""
    if candidate is None:
        return Decision(False, "no recipe has finished, so that there is nothing to promote")
    # Aliases are last-writer-wins: on this machine only one flow decides at a time, and because another machine
    # may move the alias meanwhile, the champion is looked at again right before.
    with promotion_lock(context):
        version, judged = registered.version, registered.judged
        while True:
            serving, _ = serves_now(context)
            champion = str(serving.version) if serving else ""
            if judged is None or judged.champion != champion:
                judged = judge_candidate(context, dataset, candidate, wishes)
            decision = judged.decision
            if decision.contends and version is None:
                version = make_version(context, dataset, candidate)
            describes = version is not None and version != champion  # which keeps the decision that brought it there
            about = describe_training(dataset, candidate) if describes else None
            context.writer.call(partial(_record, context, candidate, version, decision, about))
            serving, _ = serves_now(context)
            if judged.champion == (str(serving.version) if serving else ""):
                break
        if decision.promote and version is not None:
            context.writer.call(partial(_move_alias, context, judged.champion, version))
            _announce(context, candidate, version, decision)
    recipe = candidate.trained.training.recipe.name
    create_markdown_artifact(
        f"**{recipe}: {outcome(decision)}** because {in_markdown(decision.reason)}.\n\n{numbers_table(decision)}",
        key="promotion",
        description=f"{recipe}: {outcome(decision)}",
    )
    return decision


def _move_alias(context: FlowRunContext, before: str, version: str) -> None:
    client, settings = context.tracker.client, context.settings
    name = settings.registered_model
    remember(client, name, Placement((before, version)))  # whichever it is if this process dies now
    client.set_registered_model_alias(name, settings.alias, version)
    remember(client, name, Placement((version,)))
    update_model_description(client, name, context.tracker.experiment_id, settings.alias)


def _announce(context: FlowRunContext, candidate: Evaluated, version: str, decision: Decision) -> None:
    name, training = context.settings.registered_model, candidate.trained.training
    notify(
        PROMOTED,
        f"mnist.model.{name}",
        f"{name}: version {version} ({training.recipe.name}) is the {context.settings.alias}: {decision.reason}",
        model=name,
        version=version,
        recipe=training.recipe.name,
        reason=decision.reason,
        mlflow_run_id=context.child_runs[training.folder].run_id,
    )


def _record(
    context: FlowRunContext, candidate: Evaluated, version: str | None, decision: Decision, about: str | None
) -> None:
    """Note the decision with both runs and the model, and with the version if its description `about` is given."""
    client, name, experiment = context.tracker.client, context.settings.registered_model, context.tracker.experiment_id
    tags = {"decision": outcome(decision), "reason": decision.reason}
    tags |= {f"decision.{key}": f"{value:.6g}" for key, value in decision.numbers.items()}
    if version is not None and about is not None:
        registered = client.get_model_version(name, version)
        for key in registered.tags:
            if key.startswith("decision.") and key not in tags:  # of an earlier decision
                client.delete_model_version_tag(name, version, key)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        client.update_model_version(name, version, describe_version(registered, about, decision, experiment))
    if version is None or about is not None:
        context.tracker.log(context.child_runs[candidate.trained.training.folder].run_id, tags=tags)
    if version is not None:
        update_model_description(client, name, experiment, context.settings.alias)
    context.tracker.log(context.parent.ensure_open(), tags=tags)
