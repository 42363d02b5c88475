"""Data → describe them, and train each recipe → evaluate → analyse mistakes → compare → register → promote."""

import logging
import time
from typing import Any

from prefect import runtime

from flows.project_flow import project_flow
from flows.training_schedule import TrainingSchedule
from mnist_models.data.options import DataOptions
from tasks.compare import compare, row_of_file
from tasks.config.command_lines import train_command
from tasks.describe_data import describe_data
from tasks.fetch_data import fetch_data
from tasks.flow_run import request as form
from tasks.flow_run.context import open_flow_run
from tasks.flow_run.errors import RecipesFailed
from tasks.flow_run.labels import add_tags, project_tag, run_name
from tasks.flow_run.lifetime import lifetime
from tasks.flow_run.pinned_data import pinned_data_tags, with_pinned_data
from tasks.judgement import Wishes
from tasks.promote import promote_candidate
from tasks.register import register
from tasks.registry.champion import champion
from tasks.servers.notifications import tell_of_failed_schedule
from tasks.summarize import Conclusion, build_summary, publish_summary
from tasks.tracking.summary_text import verdict
from tasks.train import NamedTraining

logger = logging.getLogger(__name__)


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    what = ", ".join(parameters["recipes"]) or parameters["suite"]
    repeats = f", {parameters['seeds']} seeds" if parameters["seeds"] > 1 else ""
    return run_name(f"train {what}{repeats}")


@project_flow(
    name="train",
    flow_run_name=_run_name,
    retries=0,
    persist_result=False,
    result_serializer="json",
    on_failure=[tell_of_failed_schedule],
    on_crashed=[tell_of_failed_schedule],
)
def train(
    suite: form.SuiteName = "quick",
    recipes: form.RecipeNames = [],  # noqa: B006  Prefect's form needs the plain default, and nothing changes it
    seed: form.Seed = 0,
    seeds: form.Seeds = 1,
    data: form.DataPath = "",
    promote: form.Promote = True,
    force: form.Force = False,
    summary: form.SummaryFile = "",
    model: form.ModelName = "",
    replace: form.Replace = False,
    image_size: form.ImageSize = 0,
    crop: form.Crop = False,
    transposed: form.Transposed = False,
) -> dict[str, Any]:
    """Train recipes, compare them, and promote the best if it deserves it.

    Args:
        suite: Which recipes to train, as a named list.
        recipes: Which recipes to train instead of a suite.
        seed: The first seed; the same seed gives the same result.
        seeds: How many repeats of each recipe, with consecutive seeds.
        data: Folders of images, a table, archive, .npz file, IDX, or a named data set (NAME, NAME@3); empty for MNIST.
        promote: Whether the best may become the champion.
        force: Whether to train again what is already trained.
        summary: A file to write a JSON summary to; empty for none.
        model: The registered model to make versions of; empty for the one in mlflow.yml.
        replace: Whether the best may replace a champion that solves another problem.
        image_size: To which side in pixels images are brought; 0 for their own, or the median of them.
        crop: Whether to cut the middle out of images instead of adding margins.
        transposed: Whether rows and columns of the images are exchanged, as in EMNIST's files.
    """
    began = time.monotonic()
    chosen = (suite, tuple(recipes), seed, seeds, data, promote, force, summary, model, replace)
    request = form.TrainRequest(*chosen, image_size, crop, transposed)
    wishes = Wishes(promote, replace)
    with open_flow_run(model) as context:
        context.display.wait_for("Opening the records in MLflow")
        settings = context.settings
        request = with_pinned_data(settings, request)
        add_tags(project_tag(settings), *request.tags, *pinned_data_tags(settings, request))
        prepared = fetch_data(context, request.data, request.data_options(settings.data_options))
        dataset = prepared.dataset
        with lifetime(context, request, dataset):
            trainings = [NamedTraining(each, request.label(each)) for each in request.trainings(dataset.digest)]
            described = describe_data.submit(
                context, prepared, train_command(data, request.data_options(DataOptions()))
            )
            rows, evaluated = TrainingSchedule(context, prepared, force).run(trainings)
            rows += tuple(row_of_file(broken) for broken in request.broken_files)
            described.result()
            candidate = compare(context, prepared.folder, rows, evaluated)
            registered = register(context, dataset, candidate, wishes)
            decision = promote_candidate(context, dataset, candidate, registered, wishes)
            conclusion = Conclusion(rows, candidate, champion(context.tracker), decision)
            result = build_summary(context, request.title, dataset, conclusion, time.monotonic() - began)
            publish_summary(context, result, summary)
            for line in verdict(result):
                logger.info(line)
            if failed := [each.name for each in rows if not each.expected]:
                raise RecipesFailed(failed, result)
    return result
