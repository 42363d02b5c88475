"""Data → train each recipe → evaluate → analyse errors → compare → register → promote."""

import time
from typing import Any

from prefect import flow, runtime
from prefect.task_runners import ThreadPoolTaskRunner

from flows.training_schedule import Chains
from tasks.compare import compare
from tasks.fetch_data import fetch_data
from tasks.flow_run.context import open_session
from tasks.flow_run.parent_run import parent_run
from tasks.flow_run.request import (
    DataPath,
    Force,
    Promote,
    RecipeNames,
    Seed,
    Seeds,
    SuiteName,
    SummaryFile,
    check_request,
)
from tasks.flow_run.unsent_requests import kept_until_sent
from tasks.promote import champion, promote_candidate, register
from tasks.servers.notifications import tell_of_failed_schedule
from tasks.summarize import build_summary, publish_summary
from tasks.train import label

THREADS = 512  # a thread for each task that waits; how many train at once is the trainer pool's business


def _run_name() -> str:
    asked = runtime.flow_run.parameters
    what = ", ".join(asked["recipes"]) or asked["suite"]
    repeats = f", {asked['seeds']} seeds" if asked["seeds"] > 1 else ""
    return f"train {what}{repeats}"


@flow(
    name="train",
    flow_run_name=_run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS),  # type: ignore[arg-type]
    persist_result=False,
    result_serializer="json",
    on_failure=[tell_of_failed_schedule],
    on_crashed=[tell_of_failed_schedule],
)
def train(
    suite: SuiteName = "quick",
    recipes: RecipeNames = [],  # noqa: B006  Prefect's form needs the plain default, and nothing changes it
    seed: Seed = 0,
    seeds: Seeds = 1,
    data: DataPath = "",
    promote: Promote = True,
    force: Force = False,
    summary: SummaryFile = "",
) -> dict[str, Any]:
    """Train recipes, compare them, and promote the best if it deserves it.

    Args:
        suite: Which recipes to train, as a named list.
        recipes: Which recipes to train instead of a suite.
        seed: The first seed; the same seed gives the same result.
        seeds: How many repeats of each recipe, with consecutive seeds.
        data: A folder of IDX files or an .npz file; empty for the official MNIST.
        promote: Whether the best may become the champion.
        force: Whether to train again what is already trained.
        summary: A file to write a JSON summary to; empty for none.
    """
    began = time.monotonic()
    request = check_request(suite, recipes, seed, seeds, summary)
    with open_session() as session:
        dataset, data_folder = fetch_data(session, data)
        trainings = request.trainings(dataset.digest)
        asked_for = runtime.flow_run.parameters
        with (
            kept_until_sent(session.settings, asked_for, dataset.digest),
            parent_run(session, suite, recipes, request, dataset) as flow_tags,
        ):
            chains = Chains(session, dataset, data_folder, flow_tags)
            for training in trainings:
                chains.start(training, label(training, seeds), force)
            outcomes = chains.outcomes()
            candidate = compare(session, data_folder, outcomes.rows, outcomes.evaluated)
            version = register(session, dataset, candidate) if candidate else None
            decision = promote_candidate(session, dataset, candidate, version, promote)
            seconds = time.monotonic() - began
            asked = ", ".join(recipes) or suite
            champion_now = champion(session.tracker)
            result = build_summary(
                session, asked, dataset.name, seconds, outcomes.rows, candidate, champion_now, decision
            )
            publish_summary(session, result, summary)
            outcomes.check(result)
    return result
