"""Train → evaluate → analyse errors, for each training at once, and how each ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.futures import PrefectFuture

from mnist_models.data.dataset import Dataset
from mnist_models.recipe_catalog import all_recipes
from mnist_models.training_run.plan import Training
from tasks.analyse_mistakes import analyse_errors
from tasks.compare import Row, row
from tasks.evaluate import Evaluated, evaluate_training
from tasks.flow_run.context import Session
from tasks.flow_run.errors import RecipesFailed
from tasks.supervision.failures import first_line
from tasks.tracking.outage import is_mlflows
from tasks.tracking.run_replay import TrackedRun
from tasks.train import train_recipe


@dataclass(frozen=True)
class Outcomes:
    """Rows in the recipes' own order, and by name what could be evaluated."""

    rows: tuple[Row, ...]
    evaluated: dict[str, Evaluated]

    def check(self, summary: dict[str, Any]) -> None:
        """Raise RecipesFailed if any recipe did not end as it should."""
        failed = [each.name for each in self.rows if not each.expected]
        if failed:
            raise RecipesFailed(failed, summary)


class Chains:
    """Starts the three tasks of each training, and waits for all."""

    def __init__(self, session: Session, dataset: Dataset, data_folder: Path, flow_tags: dict[str, str]) -> None:
        self._session, self._dataset, self._data_folder, self._flow_tags = session, dataset, data_folder, flow_tags
        self._started: list[tuple[Training, str, tuple[PrefectFuture[Any], ...]]] = []

    def start(self, training: Training, name: str, force: bool) -> None:
        """Submit the tasks of a training; the one that it continues must have been started before."""
        first = {earlier.identity: futures[0] for earlier, _, futures in self._started}
        after = [first[training.start.identity]] if training.start else None
        session, dataset = self._session, self._dataset
        trained: PrefectFuture[Any] = train_recipe.with_options(task_run_name=f"train {name}").submit(
            session,
            training,
            dataset,
            self._data_folder,
            name,
            force,
            self._flow_tags,
            wait_for=after,
            return_state=False,
        )
        evaluated: PrefectFuture[Any] = evaluate_training.with_options(task_run_name=f"evaluate {name}").submit(
            session, dataset, self._data_folder, trained, return_state=False
        )
        analysed: PrefectFuture[Any] = analyse_errors.with_options(task_run_name=f"analyse errors {name}").submit(
            session, dataset, evaluated, return_state=False
        )
        self._started.append((training, name, (trained, evaluated, analysed)))

    def outcomes(self) -> Outcomes:
        """Wait for all trainings and their analyses.

        Raises:
            what MLflow has raised, if it does not know all that was trained: a comparison would leave that out.
        """
        order = list(all_recipes())
        rows: list[Row] = []
        evaluated: dict[str, Evaluated] = {}
        unsent: list[Exception] = []
        for training, name, futures in sorted(
            self._started, key=lambda started: (order.index(started[0].recipe.name), started[0].seed)
        ):
            results = [_end(future) for future in futures]
            unsent.extend(result for result in results if is_mlflows(result))
            if isinstance(results[-1], Evaluated):
                evaluated[name] = results[-1]
                rows.append(row(name, results[-1]))
            else:
                rows.append(self._failed(training, name, results))
        if unsent:
            raise unsent[0]
        return Outcomes(tuple(rows), evaluated)

    def _failed(self, training: Training, name: str, results: Sequence[Any]) -> Row:
        error = next((result for result in results if isinstance(result, BaseException)), None)
        if error is None and training.start is not None:
            reason = f"{training.start.recipe.name}, which it continues, has not finished"
        else:
            reason = first_line(error) if error else "it did not run"
        run = TrackedRun(self._session.tracker, self._session.runs / training.folder)
        return Row(
            training.recipe.name,
            training.seed,
            name,
            "failed",
            expected=False,
            mlflow_run_id=run.notes.get("run_id"),
            reason=reason,
        )


def _end(future: PrefectFuture[Any]) -> Any:
    """Result or exception of a task; None where it never ran, because an earlier one had failed."""
    future.wait()
    return future.state.result(raise_on_failure=False) if future.state.is_final() else None
