"""How an experiment opens in MLflow's UI: its description, and views of the runs table with columns for our runs.

The UI has no default columns that a server could set. It has saved views: tags of the experiment that hold the
table's state as JSON. They are offered in the menu Views of the runs page, and a link can name one.
"""

import json
from typing import TYPE_CHECKING, Any

from mnist_models import metric_names as names

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

COMPARISONS, TRAININGS = "comparisons", "trainings"  # in tags and links; the menu shows the names below
NOTE = "mlflow.note.content"

# Column, as the UI names it → its width in pixels.
COMPARISON = {  # a comparison has them of its best, a training of itself; the last one says why
    "tags.`best`": 210,
    "tags.`decision`": 110,
    "tags.`data`": 110,
    f"metrics.`{names.TEST_ACCURACY}`": 110,
    f"metrics.`{names.KEPT_VALIDATION_ACCURACY}`": 170,
    "tags.`status`": 170,
    "tags.`reason`": 400,
}
TRAINING = {
    "tags.`data`": 110,
    f"metrics.`{names.TEST_ACCURACY}`": 110,
    f"metrics.`{names.KEPT_VALIDATION_ACCURACY}`": 170,
    "tags.`seed`": 60,
    "tags.`status`": 90,
    f"metrics.`{names.TRAIN_SECONDS}`": 140,
    f"metrics.`{names.PARAMETERS}`": 140,
    "attributes.`Models`": 200,
}
NEWEST = {"orderByKey": "attributes.start_time", "orderByAsc": False}
# Sorted by anything but time, the table does not hide trainings under their comparison.
BEST = {"orderByKey": f"metrics.`{names.TEST_ACCURACY}`", "orderByAsc": False, "searchFilter": "tags.recipe LIKE '%'"}
# What was measured on other images is no rival. Two data sets may have one name, and not one digest.
BY_DATA = {
    "groupBy": {
        "aggregateFunction": "max",
        "groupByKeys": [{"mode": "tag", "groupByData": tag} for tag in ("data", "data_digest")],
    }
}

# The UI opens on its side for language models, which nothing on the server changes; its start page shows the first
# words of this, and its empty pages the first line.
DESCRIPTION = """\
Choose **Model training**, top left: the runs are there, under *Runs*, and not on the pages for GenAI.

Each row is a **comparison**: one run of the pipeline, the newest first, over its **trainings** (open it with +).
Its own page begins with what was trained, on which data, what was the best and whether it was promoted, and why.

- The menu **Views** has the columns that matter: *Comparisons, newest first*, and *Trainings, best first*,
  for each data set.
- Tick two trainings and press **Compare**; the button with the curve overlays the metrics of all that are shown.
  All recipes share the names: `train/…` at each step, `validation/…` at each validation, `test/…` once.
- Figures and mistakes are under **Artifacts** on the page of a run.
- A training that has met a NaN says so in `status`, `diverged` and `first_nan_step`.
"""
FORMER = "Each row is a **comparison**: one run of the pipeline"  # how descriptions of earlier versions began


def prepare_page(client: "MlflowClient", experiment: "Experiment") -> None:
    """Store the views, and a description unless there is one; what is there already is not written again."""
    made = experiment.creation_time or 0
    wanted = {
        f"mlflow.sharedViewState.{key}": view
        for key, view in (
            (COMPARISONS, _view("Comparisons, newest first", made, NEWEST, COMPARISON)),
            (TRAININGS, _view("Trainings, best first", made, BEST | BY_DATA, TRAINING)),
        )
    }
    if experiment.tags.get(NOTE, FORMER).startswith(FORMER):  # the user's own stays
        wanted[NOTE] = DESCRIPTION
    for key, value in wanted.items():
        if experiment.tags.get(key) != value:
            _set_tag(client, experiment.experiment_id, key, value)


def _set_tag(client: "MlflowClient", experiment_id: str, key: str, value: str) -> None:
    """Set a tag, be it that others do so in this moment: PostgreSQL refuses all but one of them who insert it."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_experiment_tag(experiment_id, key, value)
    except MlflowException:
        client.set_experiment_tag(experiment_id, key, value)  # the other's row is there now, and is updated


def _view(name: str, made: int, order: dict[str, Any], columns: dict[str, int]) -> str:
    """A saved view as the UI reads it; `made` is in Unix milliseconds."""
    state = {**order, "selectedColumns": [*columns], "columnOrder": [*columns], "columnWidths": columns}
    return json.dumps({"name": name, "createdAt": made, "state": json.dumps(state)})
