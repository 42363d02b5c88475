"""A process that promotes its candidate at a barrier, again and again."""

from contextlib import suppress
from types import SimpleNamespace

import numpy as np


def tracker_at(home):
    from tasks.config.settings import Settings
    from tasks.tracking.tracker import Tracker

    return Tracker(Settings.at(home, registered_model="test-model", accuracy_floor=0.5))


def promote_many(home, mine, rival, run_id, right, rounds, barrier, answers):
    """Promote version `mine`, whose first `right` answers are right; whoever is version 1 looks and cleans up."""
    from made_data import make_dataset
    from mlflow.exceptions import MlflowException

    from tasks.judgement import Wishes
    from tasks.promote import promote_candidate
    from tasks.register import Registered
    from tasks.registry.placement import MEMORY

    dataset = make_dataset(classes=4, side=16, train=300, test=200)
    tracker = tracker_at(home)
    client = tracker.client
    recipe = SimpleNamespace(name=f"recipe-{mine}", summary="Made up")
    candidate = SimpleNamespace(
        trained=SimpleNamespace(training=SimpleNamespace(recipe=recipe, seed=0, folder="mine", identity=mine)),
        predictions=SimpleNamespace(test=probabilities(dataset.y_test, right)),
    )
    context = SimpleNamespace(
        settings=tracker.settings,
        tracker=tracker,
        parent=SimpleNamespace(ensure_open=lambda: run_id),
        writer=SimpleNamespace(call=lambda work: work()),
        child_runs={"mine": SimpleNamespace(run_id=run_id)},
    )
    for _ in range(rounds):
        barrier.wait(120)
        promote_candidate.fn(context, dataset, candidate, Registered(mine, None), Wishes())
        barrier.wait(120)
        if mine == "1":
            serves = client.get_model_version_by_alias("test-model", "champion").version
            tags = [client.get_model_version("test-model", version).tags for version in (mine, rival)]
            answers.put((str(serves), [(each.get("decision"), each.get("reason")) for each in tags]))
            client.delete_registered_model_alias("test-model", "champion")
            client.delete_registered_model_tag("test-model", MEMORY)  # or a person would have taken it away
            for version in (mine, rival):
                for key in ("decision", "reason"):
                    with suppress(MlflowException):
                        client.delete_model_version_tag("test-model", version, key)


def probabilities(labels, right):
    """float32 [n, 4], of which the first `right` are."""
    answers = np.where(np.arange(len(labels)) < right, labels, (labels + 1) % 4)
    return np.eye(4, dtype=np.float32)[answers]
